package shape

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/weirproxy/weir/internal/exchange"
)

var insert = Step{JSON: &JSON{Set: one("forwarded", `"by=weir"`)}}

func gzipOf(content []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(content)
	_ = w.Close()
	return b.Bytes()
}

func zstdOf(content []byte) []byte {
	w, _ := zstd.NewWriter(nil)
	return w.EncodeAll(content, nil)
}

func TestContent_OfARequestIsChangedInPlace(t *testing.T) {
	x := withContent(newExchange("Content-MD5: abc", "Digest: d", "Repr-Digest: r"), "application/json", []byte(`{"snot": "badger"}`))
	_, p := on(t, x, insert)
	want := `{"snot": "badger","forwarded":"by=weir"}`
	if got := readAll(t, x.Request.Body); got != want || x.Request.Length != int64(len(want)) {
		t.Errorf("the content is %s, of %d bytes", got, x.Request.Length)
	}
	if got := lines(x.Request.Header); strings.Contains(got, "igest") || strings.Contains(got, "MD5") || !strings.Contains(got, "Content-Length: 40\n") {
		t.Errorf("the fields are\n%s", got)
	}
	if p.Skipped().Total() != 0 || !p.Reads(RequestSide) || p.Reads(ResponseSide) {
		t.Error("the program does not say what it does")
	}
}

func TestContent_ThatWasMadeServesAllTries(t *testing.T) {
	x := withContent(newExchange(), "application/vnd.x+json; charset=utf-8", []byte(`{}`))
	on(t, x, insert)
	b := x.Request.Body
	b.Keep(1)
	if whole, err := b.Load(); !whole || err != nil {
		t.Fatal("it is not whole")
	}
	fork := b.Fork()
	b.Interrupt()
	for range 2 {
		if got := readAll(t, b); got != `{"forwarded":"by=weir"}` {
			t.Errorf("it reads as %s", got)
		}
		if !b.Rewind() {
			t.Error("it cannot be sent again")
		}
	}
	if got := readAll(t, fork); got != `{"forwarded":"by=weir"}` || !fork.Rewind() || readAll(t, fork.Fork()) != got {
		t.Errorf("a fork reads as %s", got)
	}
}

func TestContent_IsDecodedAndCodedAgain(t *testing.T) {
	for coding, code := range map[string]func([]byte) []byte{"gzip": gzipOf, "zstd": zstdOf, "GZIP": gzipOf} {
		x := withContent(newExchange("Content-Encoding: "+coding), "application/json", code([]byte(`{"a":1}`)))
		on(t, x, insert, Step{If: `request.body.forwarded == "by=weir"`, JSON: &JSON{Remove: []string{"a"}}})
		got := readAll(t, x.Request.Body)
		plain, err := compiler(t).codecs.decode(codingOf(x.Request.Header), []byte(got))
		if string(plain) != `{"forwarded":"by=weir"}` || err != nil || x.Request.Length != int64(len(got)) {
			t.Errorf("%s is %q, %v", coding, plain, err)
		}
	}
}

// odd are kinds of content that no step changes.
func odd() map[string]*exchange.Exchange {
	object := []byte(`{"a":1}`)
	return map[string]*exchange.Exchange{
		"none":                newExchange("Content-Type: application/json"),
		"empty":               withContent(newExchange(), "application/json", []byte{}),
		"text":                withContent(newExchange(), "text/plain", object),
		"without a type":      withContent(newExchange(), "", object),
		"mistyped":            withContent(newExchange(), "appliaction/json", object),
		"an image":            withContent(newExchange(), "image/png", []byte("\x89PNG\r\n\x1a\n\x00\xff{}")),
		"an array":            withContent(newExchange(), "application/json", []byte(`[{"a":1}]`)),
		"a number":            withContent(newExchange(), "application/json", []byte(`12`)),
		"invalid":             withContent(newExchange(), "application/json", []byte(`{"a":1}}`)),
		"half":                withContent(newExchange(), "application/json", []byte(`{"a":`)),
		"two documents":       withContent(newExchange(), "application/json", []byte(`{"a":1} {"a":1}`)),
		"with a BOM":          withContent(newExchange(), "application/json", []byte("\ufeff{}")),
		"lines of JSON":       withContent(newExchange(), "application/x-ndjson", []byte("{}\n{}\n")),
		"too large":           withContent(newExchange(), "application/json", []byte(`{"a":"`+strings.Repeat("x", 1<<20)+`"}`)),
		"not gzip":            withContent(newExchange("Content-Encoding: gzip"), "application/json", object),
		"half of gzip":        withContent(newExchange("Content-Encoding: gzip"), "application/json", gzipOf(object)[:20]),
		"gzip and more":       withContent(newExchange("Content-Encoding: gzip"), "application/json", append(gzipOf(object), "more"...)),
		"brotli":              withContent(newExchange("Content-Encoding: br"), "application/json", object),
		"coded twice":         withContent(newExchange("Content-Encoding: gzip, zstd"), "application/json", object),
		"coded on two lines":  withContent(newExchange("Content-Encoding: gzip", "Content-Encoding: gzip"), "application/json", gzipOf(gzipOf(object))),
		"not zstd":            withContent(newExchange("Content-Encoding: zstd"), "application/json", object),
		"an array, in gzip":   withContent(newExchange("Content-Encoding: gzip"), "application/json", gzipOf([]byte(`[]`))),
		"a bomb of gzip":      withContent(newExchange("Content-Encoding: gzip"), "application/json", gzipOf(make([]byte, 10<<20))),
		"a bomb of zstd":      withContent(newExchange("Content-Encoding: zstd"), "application/json", zstdOf(make([]byte, 10<<20))),
		"a bomb that is JSON": withContent(newExchange("Content-Encoding: gzip"), "application/json", gzipOf([]byte(`{"a":"`+strings.Repeat("x", 10<<20)+`"}`))),
	}
}

func TestContent_OfOddKindsPassesAsItIs(t *testing.T) {
	for kind, x := range odd() {
		var before string
		body, length := x.Request.Body, x.Request.Length
		if body != nil {
			before = string(body.(*arriving).content)
		}
		fields := lines(x.Request.Header)
		_, p := on(t, x, insert, Step{JSON: &JSON{Remove: []string{"a"}, Merge: one(".", `{"m": 1}`)}}, Step{Set: one("F", `"set"`)})
		if x.Request.Body != body || x.Request.Length != length || readAll(t, x.Request.Body) != before {
			t.Errorf("%s: the content is not what it was", kind)
		}
		if got := lines(x.Request.Header); got != fields+"F: set\n" {
			t.Errorf("%s: the fields are\n%s", kind, got)
		}
		if n := p.Skipped().Total(); n != 2 && body != nil || body == nil && n != 0 {
			t.Errorf("%s: %v steps are counted", kind, p.Skipped())
		}
	}
}

func TestContent_OfOddKindsOfResponsesPassesAsItIs(t *testing.T) {
	for kind, x := range odd() {
		content := []byte(nil)
		if x.Request.Body != nil {
			content = x.Request.Body.(*arriving).content
		}
		resp := &exchange.Response{Status: 200, Header: x.Request.Header, Length: exchange.LengthUnknown}
		if content != nil {
			resp.Body = &arriving{made: made{content: content}, chunk: 4 << 10}
		}
		fields := lines(resp.Header)
		onResponse(t, newExchange(), resp, insert)
		if readAll(t, resp.Body) != string(content) || resp.Length != exchange.LengthUnknown || lines(resp.Header) != fields {
			t.Errorf("%s: the response is not what it was", kind)
		}
	}
}

// TestContent_ThatIsNotForReadingIsNotWaitedFor: whatever their type says.
func TestContent_ThatIsNotForReadingIsNotWaitedFor(t *testing.T) {
	get, head := newExchange(), newExchange()
	head.Request.Method = exchange.MethodHead
	json := "Content-Type: application/json"
	for what, tc := range map[string]struct {
		x    *exchange.Exchange
		resp *exchange.Response
	}{
		"events":        {get, response(200, []byte(`{}`), "Content-Type: text/event-stream")},
		"HEAD":          {head, response(200, []byte(`{}`), json)},
		"204":           {get, response(204, []byte(`{}`), json)},
		"304":           {get, response(304, []byte(`{}`), json)},
		"206":           {get, response(206, []byte(`{}`), json)},
		"Content-Range": {get, response(200, []byte(`{}`), json, "Content-Range: bytes 0-1/5")},
		"too long":      {get, &exchange.Response{Status: 200, Header: header(json), Length: 2 << 20, Body: &arriving{made: made{content: []byte(`{}`)}}}},
	} {
		body := tc.resp.Body
		onResponse(t, tc.x, tc.resp, insert, Step{Set: one("B", `string(response.body == null)`)})
		if tc.resp.Body != body || body.(*arriving).read > 0 {
			t.Errorf("%s: the content was read", what)
		}
		if got, _ := tc.resp.Header.Lookup("b"); string(got) != "true" {
			t.Errorf("%s: the body reads as something", what)
		}
	}
	x := newExchange()
	x.Request.Upgrade = []byte("websocket")
	resp := response(101, nil)
	onResponse(t, x, resp, insert)
}

func TestContent_OfAResponseIsChangedInPlace(t *testing.T) {
	resp := response(200, []byte(`{"a": 9007199254740993, "a": 1}`), "Content-Type: application/json", `ETag: "abc"`, "Content-Length: 31")
	onResponse(t, newExchange(), resp, Step{JSON: &JSON{Set: one("b.c", `response.body.a + 1`)}})
	want := `{"a": 9007199254740993, "a": 1,"b":{"c":2}}`
	if got := readAll(t, resp.Body); got != want || resp.Length != int64(len(want)) {
		t.Errorf("the content is %s, of %d bytes", got, resp.Length)
	}
	if got := lines(resp.Header); got != "Content-Type: application/json\nETag: W/\"abc\"\nContent-Length: 43\n" {
		t.Errorf("the fields are\n%s", got)
	}
}

func TestContent_ThatStaysEqualStaysTheSame(t *testing.T) {
	resp := response(200, []byte(`{"a": 1}`), "Content-Type: application/json", `ETag: "abc"`)
	onResponse(t, newExchange(), resp, Step{JSON: &JSON{Set: one("a", `1`), Remove: []string{"b"}}})
	if got := readAll(t, resp.Body); got != `{"a": 1}` || !strings.Contains(lines(resp.Header), `ETag: "abc"`) {
		t.Errorf("the response is %s\n%s", got, lines(resp.Header))
	}
}

func TestContent_KeepsItsTrailer(t *testing.T) {
	resp := response(200, []byte(`{}`), "Content-Type: application/json")
	resp.Length = exchange.LengthUnknown
	resp.Body.(*arriving).trailer = header("X-Sum: 1", "Content-Digest: sha-256=x")
	onResponse(t, newExchange(), resp, insert)
	if got := readAll(t, resp.Body); got != `{"forwarded":"by=weir"}` || resp.Length != exchange.LengthUnknown {
		t.Errorf("the content is %s, of %d bytes", got, resp.Length)
	}
	if got := lines(resp.Body.Trailer()); got != "X-Sum: 1\n" {
		t.Errorf("the trailer is %s", got)
	}
}

// TestContent_OverTheBoundStreamsOn: nothing is lost, and no more than the bound
// was read.
func TestContent_OverTheBoundStreamsOn(t *testing.T) {
	content := []byte(`{"a":"` + strings.Repeat("x", 3<<20) + `"}`)
	resp := response(200, content, "Content-Type: application/json")
	resp.Length = exchange.LengthUnknown
	body := resp.Body.(*arriving)
	body.chunk, body.trailer = 10_000, header("T: 1")
	p := onResponse(t, newExchange(), resp, insert)
	if body.read > 1<<20+10_000 || p.Skipped().Of(SkippedTooLarge) != 1 {
		t.Errorf("%d bytes were read, %v steps counted", body.read, p.Skipped())
	}
	if got := readAll(t, resp.Body); got != string(content) || lines(resp.Body.Trailer()) != "T: 1\n" {
		t.Errorf("of %d bytes %d come", len(content), len(got))
	}
}

func TestContent_ThatEndsEarlyEndsAsItDid(t *testing.T) {
	broken := errors.New("the endpoint has failed")
	resp := response(200, []byte(`{"a":1,"b":2,`), "Content-Type: application/json")
	resp.Body.(*arriving).err = broken
	onResponse(t, newExchange(), resp, insert)
	var got []byte
	for {
		data, err := resp.Body.Next(true)
		got = append(got, data...)
		if err != nil {
			if err != broken || string(got) != `{"a":1,"b":2,` {
				t.Errorf("%q comes, then %v", got, err)
			}
			return
		}
	}
}

func TestContent_OfAClientThatFailsEndsTheExchange(t *testing.T) {
	failure := exchange.Fail(exchange.CodeBodyTimeout, "", nil)
	for _, s := range []Step{insert, {Set: one("A", `request.body.a`)}, {If: `request.body.a == 1`, Set: one("A", `"1"`)}} {
		x := withContent(newExchange(), "application/json", []byte(`{}`))
		x.Request.Body.(*arriving).err = failure
		v := Borrow(x)
		_, err := mustSteps(t, []Step{s}, nil).Request(v)
		v.Release()
		if err != error(failure) {
			t.Errorf("the error is %v", err)
		}
	}
}

func TestContent_IsAskedForFromAClientThatWaits(t *testing.T) {
	x := withContent(newExchange(), "application/json", []byte(`{}`))
	x.Request.ExpectContinue = true
	on(t, x, insert)
	if got := x.Responder.(*client).informed; len(got) != 1 || got[0] != 100 {
		t.Errorf("the client was told %v", got)
	}
	x = withContent(newExchange(), "text/plain", []byte(`{}`))
	x.Request.ExpectContinue = true
	on(t, x, insert)
	if got := x.Responder.(*client).informed; len(got) != 0 {
		t.Errorf("for content that is not read the client was told %v", got)
	}
}

func TestContent_OfABombTakesBoundedMemory(t *testing.T) {
	for _, bomb := range [][2]any{{"gzip", gzipOf(make([]byte, 40<<20))}, {"zstd", zstdOf(make([]byte, 40<<20))}} {
		x := withContent(newExchange("Content-Encoding: "+bomb[0].(string)), "application/json", bomb[1].([]byte))
		p := mustSteps(t, []Step{insert}, nil)
		v := Borrow(x)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := p.Request(v); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		v.Release()
		if took := after.TotalAlloc - before.TotalAlloc; took > 32<<20 {
			t.Errorf("a bomb of %s takes %d MiB", bomb[0], took>>20)
		}
		if p.Skipped().Of(SkippedTooLarge) != 1 {
			t.Errorf("a bomb of %s is counted as %v", bomb[0], p.Skipped())
		}
	}
}

func TestMade_IsHandedOutInPieces(t *testing.T) {
	m := &made{content: bytes.Repeat([]byte("x"), 200<<10)}
	total := 0
	for {
		data, err := m.Next(false)
		if err == io.EOF {
			break
		}
		if len(data) > pieceSize || cap(data) > len(data) {
			t.Fatalf("a piece has %d bytes and room for %d", len(data), cap(data))
		}
		total += len(data)
	}
	if total != len(m.content) {
		t.Errorf("%d bytes come", total)
	}
}

// TestContent_ChangesWhileOthersDo is for the race detector: a program is one for
// all exchanges.
func TestContent_ChangesWhileOthersDo(t *testing.T) {
	p := mustSteps(t, []Step{{Let: one("n", `request.body.n`)}, {JSON: &JSON{Set: one("m", `n + 1`)}}}, nil)
	done := make(chan error, 8)
	for i := range 8 {
		go func() {
			for range 50 {
				x := withContent(newExchange("Content-Encoding: gzip"), "application/json", gzipOf([]byte(fmt.Sprintf(`{"n":%d}`, i))))
				v := Borrow(x)
				_, err := p.Request(v)
				text, _ := p.compiler.codecs.decode(gzipped, x.Request.Body.(*made).content)
				v.Release()
				if want := fmt.Sprintf(`{"n":%d,"m":%d}`, i, i+1); err != nil || string(text) != want {
					done <- fmt.Errorf("%s, %v; want %s", text, err, want)
					return
				}
			}
			done <- nil
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
