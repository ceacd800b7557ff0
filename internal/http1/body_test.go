package http1

import (
	"errors"
	"io"
	"testing"

	"github.com/weirproxy/weir/internal/exchange"
)

var _ exchange.Body = (*BodyReader)(nil)

func TestBodyReader_Length(t *testing.T) {
	for step := 1; step <= 12; step++ {
		src := &dripSource{rest: []byte("hello worldGET /"), step: step}
		var body BodyReader
		body.Reset(src, Framing{Kind: BodyLength, Length: 11}, BodyOptions{})
		content, err := readAll(&body)
		if err != nil || string(content) != "hello world" {
			t.Fatalf("%d bytes at a time: read %q, %v", step, content, err)
		}
		if rest := string(src.buf) + string(src.rest); rest != "GET /" {
			t.Errorf("%d bytes at a time: %q is left for the next message", step, rest)
		}
		if !body.Done() || len(body.Trailer()) != 0 {
			t.Error("the message is not done")
		}
	}
}

func TestBodyReader_UntilClose(t *testing.T) {
	src := &dripSource{rest: []byte("hello world"), step: 4}
	var body BodyReader
	body.Reset(src, Framing{Kind: BodyUntilClose}, BodyOptions{Response: true})
	content, err := readAll(&body)
	if err != nil || string(content) != "hello world" || !body.Done() {
		t.Errorf("read %q, %v", content, err)
	}
	if _, known := body.Remaining(); known {
		t.Error("its length is known")
	}
}

func TestBodyReader_None(t *testing.T) {
	for _, f := range []Framing{{}, {Kind: BodyLength}} {
		src := &dripSource{rest: []byte("next"), step: 4}
		var body BodyReader
		body.Reset(src, f, BodyOptions{})
		if data, err := body.Next(true); data != nil || !errors.Is(err, io.EOF) || !body.Done() || src.fills != 0 {
			t.Errorf("read %q, %v after %d fills", data, err, src.fills)
		}
	}
}

func TestBodyReader_NextDoesNotWaitUnlessTold(t *testing.T) {
	for _, f := range []Framing{{Kind: BodyLength, Length: 3}, {Kind: BodyChunked}, {Kind: BodyUntilClose}} {
		src := &dripSource{rest: []byte("3\r\nabc\r\n"), step: 1}
		var body BodyReader
		body.Reset(src, f, BodyOptions{})
		if data, err := body.Next(false); data != nil || err != nil || src.fills != 0 {
			t.Errorf("%v: read %q, %v after %d fills", f, data, err, src.fills)
		}
		if data, err := body.Next(true); len(data) != 1 || err != nil {
			t.Errorf("%v: read %q, %v", f, data, err)
		}
		fills := src.fills
		if data, err := body.Next(false); data != nil || err != nil || src.fills != fills {
			t.Errorf("%v: then read %q, %v", f, data, err)
		}
	}
}

// What Next(false) has read over is consumed: the buffer is empty, and splice
// or a wait on the descriptor may follow.
func TestBodyReader_LeavesNothingBuffered(t *testing.T) {
	src := &wholeSource{buf: []byte("3\r\nabc\r\n4\r")}
	var body BodyReader
	body.Reset(src, Framing{Kind: BodyChunked}, BodyOptions{})
	for {
		data, err := body.Next(false)
		if err != nil {
			t.Fatal(err)
		}
		if data == nil {
			break
		}
	}
	if len(src.buf) != 0 {
		t.Errorf("%q is left", src.buf)
	}
}

func TestBodyReader_Take(t *testing.T) {
	src := &dripSource{rest: []byte("0123456789"), step: 4}
	var body BodyReader
	body.Reset(src, Framing{Kind: BodyLength, Length: 10}, BodyOptions{})
	if data, err := body.Next(true); string(data) != "0123" || err != nil {
		t.Fatalf("read %q, %v", data, err)
	}
	if n, known := body.Remaining(); n != 6 || !known {
		t.Fatalf("%d bytes remain, known: %t", n, known)
	}
	if data, err := body.Next(false); data != nil || err != nil {
		t.Fatalf("read %q, %v", data, err)
	}
	body.Take(5)
	if n, _ := body.Remaining(); n != 1 || body.Done() {
		t.Fatalf("%d bytes remain after five were taken, done: %t", n, body.Done())
	}
	body.Take(1)
	if _, err := body.Next(false); !errors.Is(err, io.EOF) || !body.Done() {
		t.Fatalf("after the last byte: %v", err)
	}
}

func TestBodyReader_TakeKnowsItsBounds(t *testing.T) {
	var body BodyReader
	body.Reset(&wholeSource{}, Framing{Kind: BodyUntilClose}, BodyOptions{Response: true})
	body.Take(1 << 40) // nothing to count down
	if _, err := body.Next(true); !errors.Is(err, io.EOF) {
		t.Errorf("at the end of the connection: %v", err)
	}
	body.Reset(&wholeSource{}, Framing{Kind: BodyLength, Length: 3}, BodyOptions{})
	defer func() {
		if recover() == nil {
			t.Error("more than there was could be taken")
		}
	}()
	body.Take(4)
}

func TestBodyReader_FailsWhenTheSourceDoes(t *testing.T) {
	broken := errors.New("reset by peer")
	timeout := exchange.Fail(exchange.CodeBodyTimeout, "", nil)
	for _, test := range []struct {
		name     string
		framing  Framing
		response bool
		end      error
		want     *exchange.Code
	}{
		{"a request cut short", Framing{Kind: BodyLength, Length: 9}, false, io.EOF, exchange.CodeMalformedBody},
		{"a chunked request cut short", Framing{Kind: BodyChunked}, false, io.EOF, exchange.CodeMalformedBody},
		{"a response cut short", Framing{Kind: BodyLength, Length: 9}, true, io.EOF, exchange.CodeResponseIncomplete},
		{"a chunked response cut short", Framing{Kind: BodyChunked}, true, io.EOF, exchange.CodeResponseIncomplete},
		{"a reset", Framing{Kind: BodyUntilClose}, true, broken, exchange.CodeResponseIncomplete},
		{"a reset that looks like an end", Framing{Kind: BodyUntilClose}, true, exchange.Fail(exchange.CodeResponseTimeout, "", io.EOF), exchange.CodeResponseTimeout},
		{"a failure passes as it is", Framing{Kind: BodyLength, Length: 9}, false, timeout, exchange.CodeBodyTimeout},
	} {
		t.Run(test.name, func(t *testing.T) {
			src := &dripSource{rest: []byte("4\r\nabcd"), step: 100, end: test.end}
			var body BodyReader
			body.Reset(src, test.framing, BodyOptions{Response: test.response})
			_, err := readAll(&body)
			failure, ok := errors.AsType[*exchange.Failure](err)
			if !ok || failure.Code != test.want {
				t.Fatalf("failed with %v, want %s", err, test.want.Name)
			}
			if !errors.Is(test.end, io.EOF) && !errors.Is(err, test.end) {
				t.Errorf("%v does not tell the cause", err)
			}
			if _, again := body.Next(true); !errors.Is(again, err) || body.Done() {
				t.Errorf("then failed with %v", again)
			}
		})
	}
}

func TestBodyReader_MaxContent(t *testing.T) {
	for _, test := range []struct {
		name    string
		framing Framing
		wire    string
		max     int64
		ok      bool
	}{
		{"a length that fits", Framing{Kind: BodyLength, Length: 4}, "abcd", 4, true},
		{"a length that does not", Framing{Kind: BodyLength, Length: 5}, "", 4, false},
		{"chunks that fit", Framing{Kind: BodyChunked}, "2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n", 4, true},
		{"chunks that do not", Framing{Kind: BodyChunked}, "2\r\nab\r\n3\r\n", 4, false},
		{"chunks whose sum overflows", Framing{Kind: BodyChunked}, "1\r\na\r\nfffffffffffffff\r\n", 4, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			src := &dripSource{rest: []byte(test.wire), step: 3}
			var body BodyReader
			body.Reset(src, test.framing, BodyOptions{MaxContent: test.max})
			_, err := readAll(&body)
			if test.ok {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantFault(t, err, requestBodyFailures, faultContentTooLarge)
			if failure, _ := errors.AsType[*exchange.Failure](err); failure.Code.Status != 413 {
				t.Errorf("the status is %d", failure.Code.Status)
			}
		})
	}
}
