package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxBody is how large a description may be.
const maxBody = 64 << 10

// readDescription reads what an endpoint is to be. It is complete and plausible;
// what is legal in the proxy beyond that is for those who make the change to say.
func readDescription(w http.ResponseWriter, r *http.Request, name string) (*Description, *Refusal) {
	if refusal := badEndpoint(checkName(name)); refusal != nil {
		return nil, refusal
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return nil, &Refusal{http.StatusRequestEntityTooLarge, "body_too_large", "A description has 64 KiB at most."}
	}
	if err != nil {
		return nil, &Refusal{http.StatusBadRequest, "bad_body", "The body has not arrived whole."}
	}
	d, refusal := parseDescription(text)
	switch {
	case refusal != nil:
		return nil, refusal
	case d.Name != "" && d.Name != name:
		return nil, badEndpoint("name: is not the one in the path; leave it out, or write both alike")
	}
	d.Name = name
	return d, badEndpoint(d.problem())
}

// badEndpoint makes a refusal of what is wrong with a member; nil of nothing.
func badEndpoint(wrong string) *Refusal {
	if wrong == "" {
		return nil
	}
	return &Refusal{http.StatusUnprocessableEntity, "bad_endpoint", wrong}
}

// parseDescription reads a description from JSON: one object, with members that
// there are, each once. encoding/json alone would take any case and the last of
// several, which another reader may not.
func parseDescription(text []byte) (*Description, *Refusal) {
	if !utf8.Valid(text) {
		return nil, &Refusal{http.StatusBadRequest, "bad_body", "The body is not UTF-8."}
	}
	var whole json.RawMessage
	if err := json.Unmarshal(text, &whole); err != nil {
		return nil, badSyntax(text, err)
	}
	d := &Description{Weight: 1}
	b := &body{text: text, dec: json.NewDecoder(bytes.NewReader(text))}
	refusal := b.object("", func(name string, at int64) *Refusal { return b.member(d, name, at) })
	if refusal != nil {
		return nil, refusal
	}
	return d, nil
}

func badSyntax(text []byte, err error) *Refusal {
	at := int64(0)
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		at = max(0, syntax.Offset-1)
	}
	return badBody(text, at, err.Error())
}

// badBody is a refusal that says where in the text it is wrong.
func badBody(text []byte, at int64, message string) *Refusal {
	before := text[:at]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
	return &Refusal{http.StatusBadRequest, "bad_body", fmt.Sprintf("line %d, column %d: %s", line, column, message)}
}

// A body is JSON that is read member by member. Its syntax has been checked.
type body struct {
	text []byte
	dec  *json.Decoder
}

// members are those that a description may have.
var members = []string{"name", "url", "weight", "concurrency", "zone", "labels", "headers", "source", "draining"}

func (b *body) member(d *Description, name string, at int64) *Refusal {
	switch name {
	case "name":
		return b.value(name, &d.Name, "a text")
	case "url":
		return b.value(name, &d.URL, "a text")
	case "weight":
		return b.value(name, &d.Weight, "a whole number")
	case "concurrency":
		return b.value(name, &d.Concurrency, "a whole number")
	case "zone":
		return b.value(name, &d.Zone, "a text")
	case "labels":
		return b.texts(name, &d.Labels)
	case "headers":
		return b.texts(name, &d.Headers)
	case "source", "draining": // they have come back from a GET
		return b.value(name, new(any), "")
	}
	return badBody(b.text, at, fmt.Sprintf("there is no member %.40q; there are %s", name, strings.Join(members, ", ")))
}

// object reads an object, whose members are read by member.
func (b *body) object(path string, member func(name string, at int64) *Refusal) *Refusal {
	at := b.next()
	if token, _ := b.dec.Token(); token != json.Delim('{') {
		if path != "" {
			return badEndpoint(path + ": is no object of texts")
		}
		return badBody(b.text, at, "a description is a JSON object")
	}
	var seen []string
	for b.dec.More() {
		at := b.next()
		token, _ := b.dec.Token()
		name, _ := token.(string)
		if slices.Contains(seen, name) {
			return badBody(b.text, at, fmt.Sprintf("member %.40q is there twice", name))
		}
		if len(seen) == maxMembers {
			return badBody(b.text, at, fmt.Sprintf("there are more than %d members", maxMembers))
		}
		seen = append(seen, name)
		if refusal := member(name, at); refusal != nil {
			return refusal
		}
	}
	_, _ = b.dec.Token() // }
	return nil
}

// maxMembers is how many members an object may have.
const maxMembers = 64

// next is where the next token begins.
func (b *body) next() int64 {
	at := b.dec.InputOffset()
	for at < int64(len(b.text)) && strings.IndexByte(" \t\r\n,:", b.text[at]) >= 0 {
		at++
	}
	return at
}

// value reads a value; null is none.
func (b *body) value(path string, to any, want string) *Refusal {
	var raw json.RawMessage
	if err := b.dec.Decode(&raw); err != nil {
		return badBody(b.text, b.next(), err.Error()) // its syntax has been checked
	}
	if want != "" && (string(raw) == "null" || json.Unmarshal(raw, to) != nil) {
		return badEndpoint(path + ": is not " + want)
	}
	return nil
}

// texts reads an object whose members are texts.
func (b *body) texts(path string, to *map[string]string) *Refusal {
	*to = map[string]string{}
	return b.object(path, func(name string, _ int64) *Refusal {
		var text string
		refusal := b.value(fmt.Sprintf("%s.%.40q", path, name), &text, "a text")
		(*to)[name] = text
		return refusal
	})
}
