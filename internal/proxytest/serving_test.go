package proxytest

import (
	"strings"
	"testing"
)

func TestServing_AnswersWholeRequestsThatItKnows(t *testing.T) {
	var s serving
	for _, args := range []string{"GET /healthz 503", "GET /slow never"} {
		if err := s.begin(args); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct{ in, rest, answer string }{
		"a request":          {in: "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", answer: "HTTP/1.1 503 "},
		"no answer":          {in: "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"},
		"what follows":       {in: "GET /slow HTTP/1.1\r\n\r\nmore", rest: "more"},
		"half a request":     {in: "GET /healthz HTTP/1.1\r\nHost", rest: "GET /healthz HTTP/1.1\r\nHost"},
		"another target":     {in: "GET /health HTTP/1.1\r\n\r\n", rest: "GET /health HTTP/1.1\r\n\r\n"},
		"nothing has come":   {},
		"a longer target":    {in: "GET /slower HTTP/1.1\r\n\r\n", rest: "GET /slower HTTP/1.1\r\n\r\n"},
		"a different method": {in: "HEAD /slow HTTP/1.1\r\n\r\n", rest: "HEAD /slow HTTP/1.1\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			rest, answer := s.answer([]byte(c.in))
			if string(rest) != c.rest || !strings.HasPrefix(string(answer), c.answer) || c.answer == "" && answer != nil {
				t.Errorf("left %q and answered %q, want %q and %q", rest, answer, c.rest, c.answer)
			}
		})
	}
	if got := s.count(); got != 3 {
		t.Errorf("%d requests are counted, want the 3 that it knew", got)
	}
}

func TestServing_RefusesWhatItDoesNotUnderstand(t *testing.T) {
	for _, args := range []string{"", "GET /", "GET / ok", "GET / 200 hello"} {
		if err := new(serving).begin(args); err == nil {
			t.Errorf("serve %s was not refused", args)
		}
	}
}
