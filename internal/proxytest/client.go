package proxytest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A client is a connection to the proxy that a script speaks on.
type client struct {
	name string
	end  *end // the present connection; nil: none
	ends []*end
	// cookies are sent with each request; nil: none are kept.
	cookies cookies
}

// client does what a client's line says.
func (st *stage) client(c *client, s *statement) error {
	if c.end == nil || s.verb == "open" {
		if err := st.connect(c); err != nil {
			return err
		}
	}
	switch {
	case s.verb == "open":
		return nil
	case s.verb == "cookies":
		c.cookies = cookies{}
		return nil
	case s.verb == "want":
		return c.want(s)
	case s.verb == "ask":
		return c.ask(s)
	case s.verb == strings.ToUpper(s.verb):
		return c.request(s)
	default:
		return c.end.do(s)
	}
}

func (st *stage) connect(c *client) error {
	conn, err := st.network.Dial(context.Background(), "tcp", st.proxy.Addresses()[0])
	if err != nil {
		return err
	}
	name := c.name
	if len(c.ends) > 0 {
		name = fmt.Sprintf("%s (connection %d)", c.name, len(c.ends)+1)
	}
	c.end = newEnd(name, conn, st, nil)
	c.ends = append(c.ends, c.end)
	return nil
}

// request sends a request: METHOD target [version], and the block's fields and
// content. Host is added unless it is there or the version is HTTP/1.0.
func (c *client) request(s *statement) error {
	target, version, _ := strings.Cut(s.args, " ")
	if version == "" {
		version = "HTTP/1.1"
	}
	fields, content, _, err := s.parts()
	if err != nil {
		return err
	}
	text := s.verb + " " + target + " " + version + "\r\n"
	if version == "HTTP/1.1" && !hasField(fields, "Host") {
		text += "Host: weir.test\r\n"
	}
	if f := c.cookies.field(); f != "" {
		text += f + "\r\n"
	}
	for _, f := range fields {
		text += f + "\r\n"
	}
	c.end.methods = append(c.end.methods, s.verb)
	c.end.write([]byte(text + "\r\n" + content))
	return nil
}

// ask sends the same request several times, one after the other, and wants the
// same status each time: N METHOD target STATUS.
func (c *client) ask(s *statement) error {
	words := strings.Fields(s.args)
	if len(words) != 4 {
		return errors.New("want `ask N METHOD target STATUS`")
	}
	times, err := strconv.Atoi(words[0])
	if err != nil {
		return err
	}
	for i := range times {
		err := c.request(&statement{verb: words[1], args: words[2], block: s.block})
		if err == nil {
			err = c.want(&statement{verb: "want", args: words[3]})
		}
		if err != nil {
			return fmt.Errorf("request %d of %d: %w", i+1, times, err)
		}
	}
	return nil
}

func hasField(lines []string, name string) bool {
	for _, line := range lines {
		if n, _, _ := strings.Cut(line, ":"); strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

// want checks a response, or what else an end can want.
func (c *client) want(s *statement) error {
	words := strings.Fields(s.args)
	if len(words) == 0 {
		return errors.New("want what?")
	}
	w := wanted{statement: s}
	switch words[0] {
	case "head", "exactly", "problem":
		w.how = words[0]
		words = words[1:]
	}
	status, err := strconv.Atoi(strings.Join(words[:min(1, len(words))], ""))
	if err != nil {
		return c.end.want(s)
	}
	w.status = status
	_, rest, _ := strings.Cut(s.args, words[0])
	if w.text, err = text(strings.TrimSpace(rest)); err != nil {
		return err
	}
	err = c.end.wantResponse(&w)
	if err == nil {
		c.cookies.learn(c.end.head)
	}
	return err
}

// wanted is a response that a line wants.
type wanted struct {
	*statement
	how    string // "", head, exactly, problem
	status int
	text   string
}

func (e *end) wantResponse(w *wanted) error {
	h, err := e.readHead()
	if err != nil {
		return fmt.Errorf("no response head: %w", err)
	}
	e.head = h
	version, rest, _ := strings.Cut(h.first, " ")
	code, _, _ := strings.Cut(rest, " ")
	if got, err := strconv.Atoi(code); err != nil || version != "HTTP/1.1" || got != w.status {
		return fmt.Errorf("the response begins with %q\n\tand its head is %q", h.first, h.text)
	}
	method := "GET"
	if len(e.methods) > 0 {
		method = e.methods[0]
		if w.status >= 200 {
			e.methods = e.methods[1:]
		}
	}
	if err := e.beginResponse(h, w.status, method); err != nil {
		return err
	}
	fields, content, hasContent, err := w.parts()
	if err != nil {
		return err
	}
	if err := e.matchFields(h.fields, fields, w.how == "exactly"); err != nil {
		return fmt.Errorf("%w\n\tin the head %q", err, h.text)
	}
	if w.how == "head" || w.status < 200 {
		return nil
	}
	return e.wantWholeContent(w, content, hasContent)
}

func (e *end) wantWholeContent(w *wanted, content string, hasContent bool) error {
	if e.message.kind == framedClose {
		if err := e.readToClose(); err != nil {
			return err
		}
	}
	got, err := e.all()
	switch {
	case err != nil:
		return fmt.Errorf("%w, after the content %s", err, show(got))
	case w.how == "problem":
		return matchProblem(got, w.status, w.text)
	case w.text != "":
		return matchContent(got, w.text)
	case hasContent:
		return matchContent(got, content)
	default:
		return nil
	}
}

// readToClose makes the rest of the connection content of known length.
func (e *end) readToClose() error {
	if !e.await(e.patience, func() bool { return e.err != nil }) {
		return errors.New("the connection is not closed, and nothing else ends the content")
	}
	e.message = message{kind: framedLength, left: int64(len(e.rest()))}
	return nil
}

// matchProblem checks a problem document: its members, the error that want
// begins with, and the words that its detail has to contain, or, behind an equals
// sign, to be.
func matchProblem(content []byte, status int, want string) error {
	var doc map[string]any
	if err := json.Unmarshal(content, &doc); err != nil {
		return fmt.Errorf("%s is not JSON: %w", show(content), err)
	}
	for _, member := range []string{"type", "title", "detail", "event_id"} {
		if s, _ := doc[member].(string); s == "" {
			return fmt.Errorf("the problem %s has no %s", content, member)
		}
	}
	name, detail, _ := strings.Cut(want, " ")
	if doc["error"] != name || doc["status"] != float64(status) {
		return fmt.Errorf("the problem is %s, want error %q and status %d", content, name, status)
	}
	got := doc["detail"].(string)
	whole, exact := strings.CutPrefix(detail, "= ")
	if exact && got != whole || !exact && !strings.Contains(got, detail) {
		return fmt.Errorf("the detail is %q, want %q", got, detail)
	}
	return nil
}
