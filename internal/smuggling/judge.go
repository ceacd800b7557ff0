package smuggling

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Setting is what a judge has to know about the proxy.
type Setting struct {
	// Client and Proto are what X-Forwarded-For and X-Forwarded-Proto are to be.
	Client, Proto string
	// Loose: the endpoint tells no fields but those that nothing may pass by.
	Loose bool
}

// Judge returns what is wrong with what a client got for a case, and with what
// an endpoint saw meanwhile.
func (s Setting) Judge(c *Case, m Mode, got *Transcript, seen []*Message) []string {
	j := judge{Setting: s, c: c, got: got, seen: seen}
	want := c.Want
	if !c.Closed && m != HalfClose {
		want = append(slices.Clip(want), Expected{
			Verdict: Forwarded, Method: "GET", Target: "/sentinel", Host: "sentinel.example",
		})
	}
	if got.Err != nil {
		j.fail("reading answers: %v", got.Err)
	}
	if len(got.Answers) != len(want) {
		j.fail("%d answers instead of %d", len(got.Answers), len(want))
	}
	for i := range min(len(want), len(got.Answers)) {
		j.answer(i, &want[i], &got.Answers[i])
	}
	if c.Closed && !got.Closed {
		j.fail("the connection was not closed")
	}
	j.counts()
	return j.problems
}

type judge struct {
	Setting
	c        *Case
	got      *Transcript
	seen     []*Message
	problems []string
}

func (j *judge) fail(format string, args ...any) {
	j.problems = append(j.problems, fmt.Sprintf(format, args...))
}

// answer compares one answer, and the message that it answers, with what is
// wanted.
func (j *judge) answer(i int, want *Expected, a *Answer) {
	if a.Err != nil {
		j.fail("answer %d: content: %v", i, a.Err)
	}
	switch want.Verdict {
	case Answered, Refused:
		if a.Status != want.Status || a.Error != want.Error && want.Method != http.MethodHead {
			j.fail("answer %d is %d %s instead of %d %s", i, a.Status, a.Error, want.Status, want.Error)
		}
		return
	case Tunneled:
		if a.Status != http.StatusSwitchingProtocols {
			j.fail("answer %d is %d instead of 101", i, a.Status)
		}
	default:
		if a.Status != http.StatusOK {
			j.fail("answer %d is %d %s instead of an endpoint's", i, a.Status, a.Error)
		}
	}
	m := j.message(a.Seen)
	if m == nil {
		j.fail("answer %d answers message %q, which nobody saw whole", i, a.Seen)
		return
	}
	j.boundaries(want, m)
	if !j.Loose {
		j.fields(want, m)
	}
	j.invariants(m)
}

func (j *judge) message(serial string) *Message {
	for _, m := range j.seen {
		if serial != "" && m.Serial == serial {
			return m
		}
	}
	return nil
}

func (j *judge) boundaries(want *Expected, m *Message) {
	body := m.Body
	if want.Verdict == Tunneled {
		body = m.Tunnel
		if string(j.got.Tunnel) != want.Body {
			j.fail("the tunnel gave back %q instead of %q", j.got.Tunnel, want.Body)
		}
	}
	if m.Method != want.Method || m.Target != want.Target || want.Host != "-" && m.Host != want.Host || body != want.Body {
		j.fail("the endpoint saw %s %s %s %q instead of %s %s %s %q",
			m.Method, m.Target, m.Host, abbreviate(body), want.Method, want.Target, want.Host, abbreviate(want.Body))
	}
}

func abbreviate(s string) string {
	if len(s) > 200 {
		return s[:200] + "…"
	}
	return s
}

func (j *judge) fields(want *Expected, m *Message) {
	for _, f := range want.Has {
		if got := m.Header.Values(f.Name); len(got) != 1 || got[0] != f.Value {
			j.fail("%s is %q instead of %q", f.Name, got, f.Value)
		}
	}
	for _, name := range want.Lacks {
		for have := range m.Header {
			if strings.EqualFold(have, name) {
				j.fail("%s passed: %q", name, m.Header[have])
			}
		}
	}
}

// hopByHop are the fields for one hop (RFC 9110 §7.6.1), but for those that are
// needed to switch protocols, and Transfer-Encoding, which is the proxy's own.
var hopByHop = []string{"Keep-Alive", "Proxy-Connection", "Te"}

// ownFields are what the proxy sets itself, or acts on whatever Connection says.
var ownFields = []string{
	"host", "content-length", "transfer-encoding", "expect", "upgrade", "close", "keep-alive",
	"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-request-id",
}

// invariants holds what is true of whatever reaches an endpoint.
func (j *judge) invariants(m *Message) {
	for name := range m.Header {
		if slices.Contains(hopByHop, http.CanonicalHeaderKey(name)) {
			j.fail("hop-by-hop field %s passed", name)
		}
		if slices.Contains(namedByConnection(j.c.Bytes()), strings.ToLower(name)) {
			j.fail("%s passed, which Connection names", name)
		}
	}
	upgrade := j.c.Switches() || j.c.upgrades()
	if _, ok := m.Header["Connection"]; ok && !upgrade {
		j.fail("Connection passed")
	}
	if _, ok := m.Header["Upgrade"]; ok && !upgrade {
		j.fail("Upgrade passed")
	}
	for _, own := range []Field{{"X-Forwarded-For", j.Client}, {"X-Forwarded-Proto", j.Proto}} {
		if got := m.Header.Values(own.Name); len(got) != 1 || got[0] != own.Value {
			j.fail("%s is %q instead of %q", own.Name, got, own.Value)
		}
	}
}

// upgrades reports whether a message is expected to ask for another protocol.
func (c *Case) upgrades() bool {
	for _, e := range c.Want {
		if slices.ContainsFunc(e.Has, func(f Field) bool { return f.Name == "Upgrade" }) {
			return true
		}
	}
	return false
}

// namedByConnection returns the names in all lines of the case that look like a
// Connection field, without those of ownFields.
func namedByConnection(request []byte) []string {
	var names []string
	for line := range strings.Lines(string(request)) {
		name, list, _ := strings.Cut(line, ":")
		if !strings.EqualFold(strings.TrimSpace(name), "Connection") {
			continue
		}
		for option := range strings.SplitSeq(list, ",") {
			option = strings.ToLower(strings.TrimSpace(option))
			if option != "" && !slices.Contains(ownFields, option) {
				names = append(names, option)
			}
		}
	}
	return names
}

// counts holds that whatever was seen was answered, once and in order.
func (j *judge) counts() {
	var answered, seen []string
	for _, a := range j.got.Answers {
		if a.Seen != "" {
			answered = append(answered, a.Seen)
		}
	}
	for _, m := range j.seen {
		seen = append(seen, m.Serial)
	}
	if !slices.Equal(answered, seen) {
		j.fail("messages %v were seen, but %v answered", seen, answered)
	}
}
