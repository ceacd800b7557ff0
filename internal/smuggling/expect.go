package smuggling

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Verdict is what becomes of one message.
type Verdict uint8

// The verdicts; see the package's doc.
const (
	Forwarded Verdict = iota
	Answered
	Refused
	Tunneled
)

// Expected is what is to become of one message.
type Expected struct {
	Verdict Verdict

	// Of one that is forwarded.
	Method, Target, Host, Body string
	Has                        []Field
	Lacks                      []string

	// Of one that the proxy answers.
	Status int
	Error  string
}

// A Field is one header field.
type Field struct{ Name, Value string }

// expect parses the section of that name.
func (c *Case) expect(text string) error {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		word, rest, _ := strings.Cut(line, " ")
		var err error
		switch word {
		case "", "#":
		case "forwarded":
			err = c.addForwarded(rest)
		case "answered", "refused":
			err = c.addOwn(word, rest)
		case "tunnel":
			err = c.addTunnel(rest)
		case "has", "lacks":
			err = c.addField(word, rest)
		case "closed":
			c.Closed = true
		case "only":
			err = c.restrict(strings.Fields(rest))
		default:
			err = fmt.Errorf("not an expectation")
		}
		if err != nil {
			return fmt.Errorf("expect: %q: %w", line, err)
		}
	}
	return nil
}

func (c *Case) addForwarded(rest string) error {
	words := strings.SplitN(rest, " ", 4)
	if len(words) < 3 {
		return fmt.Errorf("method, target and host are needed")
	}
	e := Expected{Verdict: Forwarded, Method: words[0], Target: words[1], Host: words[2]}
	if len(words) == 4 {
		body, err := strconv.Unquote(words[3])
		if err != nil {
			return err
		}
		e.Body = body
	}
	c.Want = append(c.Want, e)
	return nil
}

func (c *Case) addOwn(word, rest string) error {
	words := strings.Fields(rest)
	if len(words) < 2 {
		return fmt.Errorf("status and error are needed")
	}
	status, err := strconv.Atoi(words[0])
	e := Expected{Verdict: Answered, Method: "GET", Status: status, Error: words[1]}
	if word == "refused" {
		e.Verdict, c.Closed = Refused, true
	}
	if slices.Contains(words, "head") {
		e.Method = "HEAD"
	}
	c.Want = append(c.Want, e)
	return err
}

func (c *Case) addTunnel(rest string) error {
	body, err := strconv.Unquote(rest)
	if len(c.Want) == 0 {
		return fmt.Errorf("no message above")
	}
	last := &c.Want[len(c.Want)-1]
	last.Verdict, last.Body, c.Closed = Tunneled, body, true
	c.modes = []Mode{Whole, Drip}
	return err
}

func (c *Case) addField(word, rest string) error {
	if len(c.Want) == 0 {
		return fmt.Errorf("no message above")
	}
	last := &c.Want[len(c.Want)-1]
	if word == "lacks" {
		last.Lacks = append(last.Lacks, rest)
		return nil
	}
	name, value, found := strings.Cut(rest, ": ")
	if !found {
		return fmt.Errorf("name and value are needed")
	}
	last.Has = append(last.Has, Field{name, value})
	return nil
}

func (c *Case) restrict(words []string) error {
	c.modes = nil
	for _, w := range words {
		if !slices.Contains(Modes, Mode(w)) {
			return fmt.Errorf("no mode %q", w)
		}
		c.modes = append(c.modes, Mode(w))
	}
	return nil
}
