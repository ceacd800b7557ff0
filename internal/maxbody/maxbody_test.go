package maxbody

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/weirproxy/weir/internal/exchange"
)

// A content is a request's, all of which can be loaded if it has at most keep bytes.
type content struct {
	text    string
	keep    int
	at      int
	loads   int
	stopped bool
}

// Next implements exchange.Body, by four bytes at a time.
func (c *content) Next(bool) ([]byte, error) {
	if c.at == len(c.text) {
		return nil, io.EOF
	}
	n := min(4, len(c.text)-c.at)
	c.at += n
	return []byte(c.text[c.at-n : c.at]), nil
}

func (c *content) Trailer() exchange.Header { return exchange.Header{{Name: []byte("X-End")}} }

func (c *content) Keep(n int) { c.keep = n }

func (c *content) Load() (bool, error) {
	c.loads++
	if c.stopped {
		return false, exchange.Fail(exchange.CodeClientGone, "", nil)
	}
	return len(c.text) <= c.keep, nil
}

func (c *content) Fork() exchange.RequestBody { return &content{text: c.text, keep: c.keep} }

func (c *content) Rewind() bool {
	c.at = 0
	return len(c.text) <= c.keep
}

func (c *content) Interrupt() { c.stopped = true }

// chunked is a request whose content has no length.
func chunked(text string) *exchange.Exchange {
	x := new(exchange.Exchange)
	x.Request.Length, x.Request.Body = exchange.LengthUnknown, &content{text: text}
	return x
}

func isTooLarge(err error) bool {
	var f *exchange.Failure
	return errors.As(err, &f) && f != nil && f.Code == exchange.CodeContentTooLarge
}

func read(b exchange.Body) (string, error) {
	var all strings.Builder
	for {
		data, err := b.Next(true)
		if err != nil {
			return all.String(), err
		}
		all.Write(data)
	}
}

func TestCheck_RefusesByLengthAtOnce(t *testing.T) {
	for length, refused := range map[int64]bool{0: false, 99: false, 100: false, 101: true, 1 << 40: true} {
		x := new(exchange.Exchange)
		body := &content{}
		x.Request.Length, x.Request.Body = length, body
		f := Check(x, 100)
		if (f != nil) != refused || f != nil && f.Code != exchange.CodeContentTooLarge {
			t.Errorf("content of %d bytes, of which 100 are allowed, is refused by %v, want refusal: %t", length, f, refused)
		}
		if x.Request.Body != exchange.RequestBody(body) {
			t.Errorf("content of %d bytes has something put in its way", length)
		}
	}
}

func TestBody_FailsWhenTheBoundIsPassed(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "12345678": "12345678", "1234567890": "1234567890", "12345678901": "12345678", strings.Repeat("x", 1000): "xxxxxxxx",
	} {
		x := chunked(text)
		if f := Check(x, 10); f != nil {
			t.Fatalf("content of unknown length is refused: %v", f)
		}
		got, err := read(x.Request.Body)
		if large := len(text) > 10; got != want || isTooLarge(err) != large || !large && err != io.EOF {
			t.Errorf("of %d bytes, of which 10 are allowed, %q passes, and then %v; want %q", len(text), got, err, want)
		}
		if _, again := x.Request.Body.Next(true); isTooLarge(again) != isTooLarge(err) {
			t.Errorf("reading on after %v gives %v", err, again)
		}
	}
}

func TestBody_CanBeSentAgain(t *testing.T) {
	x := chunked("12345678")
	Check(x, 10)
	b := x.Request.Body
	b.Keep(100)
	for range 3 {
		if got, err := read(b); got != "12345678" || err != io.EOF {
			t.Fatalf("content within the bound reads as %q, %v", got, err)
		}
		if !b.Rewind() {
			t.Fatal("content within the bound cannot be rewound")
		}
	}
	if len(b.Trailer()) != 1 {
		t.Error("the trailer is lost")
	}
	b.Keep(1)
	if b.Rewind() {
		t.Error("content that is not kept claims to be rewound")
	}
}

func TestBody_IsMeasuredWhenItIsLoaded(t *testing.T) {
	for _, tc := range []struct {
		size, keep int
		whole, bad bool
	}{
		{10, 100, true, false},
		{11, 100, false, true},
		{100, 100, false, true},
		{101, 100, false, false}, // it is not all there: Next will tell
		{10, 5, false, false},
	} {
		x := chunked(strings.Repeat("x", tc.size))
		Check(x, 10)
		b := x.Request.Body
		b.Keep(tc.keep)
		whole, err := b.Load()
		if whole != tc.whole || isTooLarge(err) != tc.bad {
			t.Errorf("%d bytes, of which %d are kept and 10 allowed, are loaded: %t, %v; want %t, too large: %t", tc.size, tc.keep, whole, err, tc.whole, tc.bad)
		}
		if whole {
			if got, err := read(b.Fork()); len(got) != tc.size || err != io.EOF {
				t.Errorf("a fork of %d bytes has %d", tc.size, len(got))
			}
		} else if _, err := read(b); !tc.bad && isTooLarge(err) != (tc.size > 10) {
			t.Errorf("%d bytes that were not loaded end with %v", tc.size, err)
		}
	}
}

func TestBody_PassesOtherFailuresOn(t *testing.T) {
	x := chunked("123")
	Check(x, 10)
	x.Request.Body.Interrupt()
	if _, err := x.Request.Body.Load(); err == nil || isTooLarge(err) {
		t.Errorf("a client that has left is told of as %v", err)
	}
}

func TestCheck_AllocatesNothingForContentWithLength(t *testing.T) {
	x := new(exchange.Exchange)
	if n := testing.AllocsPerRun(100, func() { _ = Check(x, 10) }); n != 0 {
		t.Errorf("a request without content costs %v allocations, want none", n)
	}
	x.Request.Length, x.Request.Body = 10, &content{text: "0123456789"}
	if n := testing.AllocsPerRun(100, func() { _ = Check(x, 10) }); n != 0 {
		t.Errorf("a request whose content is small enough costs %v allocations, want none", n)
	}
}
