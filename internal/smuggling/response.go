package smuggling

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/txtar"
)

// A ResponseCase is one file of the response corpus: what an endpoint answers.
//
// Its lines of expect:
//
//	refused ERROR          the proxy answers 502 in its place
//	passed STATUS ["body"] it reaches the client, whole
//	cut STATUS ["body"]    it begins to, and breaks off: the client can tell
//	has NAME: VALUE        of what reaches the client
//	lacks NAME
//	method METHOD          of the request; GET without it
//	closes                 the endpoint closes behind its answer
//	kept                   the endpoint's connection is used again
type ResponseCase struct {
	Name, Reason  string
	Method        string
	Bytes         []byte
	Verdict       Verdict // Refused, Forwarded, or Cut
	Status        int
	Error, Body   string
	Has           []Field
	Lacks         []string
	Closes, Keeps bool
}

// Cut is the verdict on a response that begins to pass.
const Cut Verdict = 255

// ResponseCases returns the response corpus.
func ResponseCases() ([]*ResponseCase, error) {
	return load(func(name string) bool { return strings.HasPrefix(name, responses) }, parseResponseCase)
}

func parseResponseCase(name string, a *txtar.Archive) (*ResponseCase, error) {
	c := &ResponseCase{Name: name, Reason: strings.TrimSpace(string(a.Comment)), Method: "GET"}
	for _, f := range a.Files {
		var err error
		switch f.Name {
		case "expect":
			for line := range strings.Lines(string(f.Data)) {
				if err = c.expect(strings.TrimSpace(line)); err != nil {
					return nil, fmt.Errorf("expect: %q: %w", line, err)
				}
			}
		case "response":
			c.Bytes, err = decode(f.Data)
		default:
			err = fmt.Errorf("unknown section %q", f.Name)
		}
		if err != nil {
			return nil, err
		}
	}
	if c.Reason == "" || c.Status == 0 {
		return nil, fmt.Errorf("reason or expect is missing")
	}
	return c, nil
}

func (c *ResponseCase) expect(line string) (err error) {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "refused":
		c.Verdict, c.Status, c.Error = Refused, 502, rest
	case "passed", "cut":
		if c.Verdict = Forwarded; word == "cut" {
			c.Verdict = Cut
		}
		status, body, found := strings.Cut(rest, " ")
		if found {
			if c.Body, err = strconv.Unquote(body); err != nil {
				return err
			}
		}
		c.Status, err = strconv.Atoi(status)
	case "has":
		name, value, _ := strings.Cut(rest, ": ")
		c.Has = append(c.Has, Field{name, value})
	case "lacks":
		c.Lacks = append(c.Lacks, rest)
	case "method":
		c.Method = rest
	case "closes":
		c.Closes = true
	case "kept":
		c.Keeps = true
	default:
		err = fmt.Errorf("not an expectation")
	}
	return err
}

// Judge returns what is wrong with an answer that a client got for the case, as
// this client read it.
func (c *ResponseCase) Judge(status int, header map[string][]string, body string, cut error) []string {
	var problems []string
	fail := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if status != c.Status {
		fail("status %d instead of %d", status, c.Status)
	}
	if (cut != nil) != (c.Verdict == Cut) {
		fail("broken off: %v", cut)
	}
	switch {
	case c.Verdict == Refused && c.Method != "HEAD" && !strings.Contains(body, `"error":"`+c.Error+`"`):
		fail("problem %s instead of %s", body, c.Error)
	case c.Verdict == Forwarded && body != c.Body, c.Verdict == Cut && !strings.HasPrefix(c.Body, body):
		fail("content %q instead of %q", body, c.Body)
	}
	for _, f := range c.Has {
		if !slices.Equal(header[f.Name], []string{f.Value}) {
			fail("%s is %q instead of %q", f.Name, header[f.Name], f.Value)
		}
	}
	for _, name := range c.Lacks {
		if values, ok := header[name]; ok {
			fail("%s passed: %q", name, values)
		}
	}
	return problems
}
