package shape

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

// FuzzExpression: no text crashes the compiler, and none that compiles outgrows
// its bound, writes what would end a line, or says plainly what it does not to CEL.
func FuzzExpression(f *testing.F) {
	for _, text := range []string{
		`request.headers["x"] + request.path`, `request.body.a.b[0] == 1.5`, `request.queries.map(q, request.queries[q].join(","))`,
		`"a".replace("", "b").split("").join("c")`, `[1, 2].exists(x, x > 1) ? "a" : "b"`, `has(request.cookies.a) && !inCIDR("1", "::/0")`,
		`{"a": now, "b": [hash("x"), null]}`, `"%d%s".format([1, "x"])`, `base64.decode("aGk=")`, `request.path.matches("^/(a|b)*$")`,
		`percent_decode("%0d%0aX: 1")`, `"é\U0001F600".substring(1)`, `timestamp("2026-01-01T00:00:00Z") - duration("1h")`, `captures["a"]`,
		`[[1]].map(x, x + x).map(x, x + x)`, `request{}`, `dyn(request).body`, `type(request)`, `request == request`, `-9223372036854775808`,
		`request.tls.on ? request.query.a + "b" : captures.c`, `!has(request.headers.x) || request.client.port >= 80`,
	} {
		f.Add(text)
	}
	c, err := New(Options{Hostname: "h", CostLimit: 20_000, MaxContent: 64 << 10})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		x := withContent(newExchange("X: "+strings.Repeat("a", 100), "Cookie: a=1"), "application/json", []byte(`{"a":{"b":[1.5,"x"]}}`))
		v := Borrow(x)
		defer v.Release()
		e, err := c.Expression(text, RequestSide, Any)
		var wrong *Error
		switch {
		case errors.As(err, &wrong):
			if wrong.Offset < -1 || wrong.Offset > len(text) || wrong.Message == "" {
				t.Errorf("%q is wrong at %d: %s", text, wrong.Offset, wrong.Message)
			}
			return
		case err != nil:
			t.Fatalf("%q: %v", text, err)
		}
		if out, err := e.AppendJSON(nil, v); len(out) > 200<<10 || err == nil && !json.Valid(out) {
			t.Errorf("%q gives %d bytes: %.100s", text, len(out), out)
		}
		agree(t, v, e)
		if p, err := c.Steps([]Step{{Set: one("A", text)}}, nil, false); err == nil {
			if _, err := p.Request(v); err != nil {
				t.Fatal(err)
			}
			for _, field := range x.Request.Header {
				if !http1.ValidValue(field.Value) || len(field.Value) > maxValue {
					t.Errorf("%q writes %.100q", text, field.Value)
				}
			}
		}
	})
}

// FuzzJSON: no content crashes a step or outgrows its bound, what is JSON stays
// JSON, and what is not an object stays as it is.
func FuzzJSON(f *testing.F) {
	for _, doc := range []string{`{"a":1,"a":{"b":2}}`, ` { } `, `[1]`, `{"a":[{}],"b":"\ud800"}`, `{`, ``, `{"a" : "\\" , "}":1e999}`} {
		f.Add([]byte(doc), "a.b", uint8(0))
		f.Add(gzipOf([]byte(doc)), "a.0", uint8(1))
		f.Add(zstdOf([]byte(doc)), "b", uint8(2))
	}
	c, err := New(Options{MaxContent: 64 << 10})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, content []byte, name string, how uint8) {
		p, err := c.Steps([]Step{
			{JSON: &JSON{Set: one(name, `request.body`)}},
			{JSON: &JSON{Merge: one(".", `{"m": {"n": null, "o": request.body}}`)}},
			{JSON: &JSON{Remove: []string{name}}},
			{If: `request.body.m.o == request.body`, Set: one("Same", `"1"`)},
		}, nil, false)
		if err != nil {
			return // the path
		}
		x := withContent(newExchange("Content-Encoding: "+[]string{"identity", "gzip", "zstd"}[how%3]), "application/json", content)
		body := x.Request.Body
		v := Borrow(x)
		defer v.Release()
		if _, err := p.Request(v); err != nil {
			t.Fatal(err)
		}
		made, changed := x.Request.Body.(*made)
		if !changed {
			if x.Request.Body != body || !bytes.Equal(body.(*arriving).content, content) {
				t.Error("content that was not changed is not what it was")
			}
			return
		}
		text, err := c.codecs.decode(codingOf(x.Request.Header), made.content)
		if err != nil || !json.Valid(text) || !isObject(text) || len(text) > c.maxContent {
			t.Errorf("the content becomes %.200q, %v", text, err)
		}
		if x.Request.Length != int64(len(made.content)) && x.Request.Length != exchange.LengthUnknown {
			t.Errorf("%d bytes are said to be %d", len(made.content), x.Request.Length)
		}
	})
}
