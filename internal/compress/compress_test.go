package compress

import (
	"slices"
	"strings"
	"testing"

	"github.com/weirproxy/weir/internal/exchange"
)

const long = 4 << 10

// text is a response that gets smaller.
func text(lines ...string) *exchange.Response {
	if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "Content-Type") }) {
		lines = append(lines, "Content-Type: text/html; charset=utf-8")
	}
	return &exchange.Response{Status: 200, Minor: 1, Header: fields(lines...), Length: long, Body: &script{pieces: []string{strings.Repeat("weir ", long/5), "    "}}}
}

func TestPolicy_CompressesForWhoAsks(t *testing.T) {
	p := policy(t, Options{})
	for coding, ask := range map[string]string{"zstd": "gzip, deflate, br, zstd", "gzip": "gzip, deflate"} {
		x := asking("Accept-Encoding: " + ask)
		resp := text("Content-Length: 4096", `ETag: "v1"`, "Accept-Ranges: bytes", "Content-MD5: x", "Digest: x", "Repr-Digest: x", "Content-Digest: x", "Vary: Cookie", "X-Other: kept")
		b := p.Encode(p.Negotiate(&x.Request), x, resp)
		if b == nil || resp.Body != exchange.Body(b) || resp.Length != exchange.LengthUnknown {
			t.Fatalf("a client that asks for %s gets the response as it is", ask)
		}
		want := []string{`ETag: W/"v1"`, "Vary: Cookie", "X-Other: kept", "Content-Type: text/html; charset=utf-8", "Content-Encoding: " + coding, "Vary: Accept-Encoding"}
		if got := sent(resp.Header); !slices.Equal(got, want) {
			t.Errorf("the client sees\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
		}
		writes, err := drain(resp.Body)
		all := strings.Join(writes, "")
		if content, bad := decode(t, coding, all); bad != nil || content != strings.Repeat("weir ", long/5)+"    " {
			t.Errorf("%s: %d bytes are decoded (%v, %v), want those that the endpoint sent", coding, len(content), bad, err)
		}
		if len(all) > long/10 {
			t.Errorf("%s makes %d bytes of %d", coding, len(all), long)
		}
		b.Release()
	}
}

func TestPolicy_LeavesTheRestUntouched(t *testing.T) {
	ask := asking("Accept-Encoding: gzip")
	head := asking("Accept-Encoding: gzip")
	head.Request.Method = exchange.MethodHead
	old := asking("Accept-Encoding: gzip")
	old.Request.Minor = 0
	status := func(status int) *exchange.Response {
		r := text()
		r.Status = status
		return r
	}
	short := text("Content-Length: 1023")
	short.Length = 1023
	empty := text()
	empty.Body, empty.Length = nil, 0
	for _, tc := range []struct {
		why  string
		x    *exchange.Exchange
		resp *exchange.Response
	}{
		{"nobody asked", asking("Accept: */*"), text()},
		{"others were asked for", asking("Accept-Encoding: br, deflate"), text()},
		{"HEAD", head, text()},
		{"HTTP/1.0", old, text()},
		{"204", ask, status(204)},
		{"205", ask, status(205)},
		{"206", ask, status(206)},
		{"304", ask, status(304)},
		{"103", ask, status(103)},
		{"101", ask, status(101)},
		{"too short", ask, short},
		{"no content", ask, empty},
		{"encoded already", ask, text("Content-Encoding: br")},
		{"encoded already, in name only", ask, text("Content-Encoding: identity")},
		{"a part", ask, text("Content-Range: bytes 0-1/2")},
		{"no-transform", ask, text("Cache-Control: public, No-Transform")},
		{"an image", ask, text("Content-Type: image/png")},
		{"text that is none", ask, text("Content-Type: textual/x")},
		{"no subtype", ask, text("Content-Type: text/")},
		{"no type", ask, text("Content-Type: ")},
		{"server-sent events", ask, text("Content-Type: Text/Event-Stream; charset=utf-8")},
	} {
		before, body, length := sent(tc.resp.Header), tc.resp.Body, tc.resp.Length
		p := policy(t, Options{})
		if b := p.Encode(p.Negotiate(&tc.x.Request), tc.x, tc.resp); b != nil || tc.resp.Body != body || tc.resp.Length != length {
			t.Errorf("%s: the response is compressed", tc.why)
		}
		if after := sent(tc.resp.Header); !slices.Equal(before, after) {
			t.Errorf("%s: the fields change from %q to %q", tc.why, before, after)
		}
	}
}

func TestPolicy_CompressesTheTypesThatAreListed(t *testing.T) {
	for _, tc := range []struct {
		listed []string
		types  []string
	}{
		{nil, []string{"text/plain", "TEXT/CSS", "application/json ;charset=x", "application/javascript", "application/problem+json", "application/atom+xml", "image/svg+xml", "application/xml"}},
		{[]string{"text/event-stream"}, []string{"text/event-stream"}},
		{[]string{"application/wasm"}, []string{"application/wasm"}},
	} {
		for _, typ := range tc.types {
			p, x, resp := policy(t, Options{Types: tc.listed}), asking("Accept-Encoding: gzip"), text("Content-Type: "+typ)
			b := p.Encode(p.Negotiate(&x.Request), x, resp)
			if b == nil {
				t.Errorf("with types %q, content of type %s is not compressed", tc.listed, typ)
			}
			b.Release()
		}
	}
}

func TestPolicy_CompressesWhatHasNoLength(t *testing.T) {
	p, x := policy(t, Options{MinSize: 1 << 20}), asking("Accept-Encoding: gzip")
	resp := text()
	resp.Length = exchange.LengthUnknown
	b := p.Encode(p.Negotiate(&x.Request), x, resp)
	if b == nil {
		t.Error("content whose length is not known is not compressed")
	}
	b.Release()
}

func TestPolicy_LeavesOtherTagsAlone(t *testing.T) {
	for tag, want := range map[string]string{`W/"v1"`: `W/"v1"`, "v1": "v1", `"v1"`: `W/"v1"`} {
		p, x, resp := policy(t, Options{}), asking("Accept-Encoding: gzip"), text("ETag: "+tag)
		b := p.Encode(p.Negotiate(&x.Request), x, resp)
		if got, _ := resp.Header.Lookup("ETag"); string(got) != want {
			t.Errorf("the tag %s becomes %s, want %s", tag, got, want)
		}
		b.Release()
	}
}

func TestNew_RefusesWhatItDoesNotKnow(t *testing.T) {
	for _, o := range []Options{
		{Algorithms: []string{"br"}},
		{Algorithms: []string{"gzip", "gzip"}},
		{Algorithms: []string{""}},
		{Types: []string{"json"}},
		{Types: []string{"*/x"}},
		{Types: []string{"*/json"}},
		{Types: []string{"text/html; charset=utf-8"}},
		{Types: []string{"text/ht*"}},
		{Types: []string{"*+"}},
		{Types: []string{""}},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v is taken for a policy", o)
		}
	}
}

func TestEncoders_AreNoMoreThanTheyMayBe(t *testing.T) {
	shared := NewEncoders(2)
	a, b := policy(t, Options{Encoders: shared}), policy(t, Options{Encoders: shared, Algorithms: []string{"gzip"}})
	x := asking("Accept-Encoding: gzip, zstd")
	encode := func(p *Policy) *Body { return p.Encode(p.Negotiate(&x.Request), x, text()) }
	first, second := encode(a), encode(b)
	if first == nil || second == nil {
		t.Fatal("two responses do not get two encoders")
	}
	if encode(a) != nil || encode(b) != nil {
		t.Error("there is a third encoder where two may be")
	}
	first.Release()
	third := encode(b)
	if third == nil {
		t.Error("an encoder that was given back is not used again")
	}
	second.Release()
	third.Release()
	if n := shared.inUse.Load(); n != 0 {
		t.Errorf("%d encoders are in use, want none", n)
	}
}

func TestPolicy_AllocatesNothingForOthers(t *testing.T) {
	p := policy(t, Options{})
	x, y := asking("Accept: */*"), asking("Accept-Encoding: gzip;q=0.8, br, zstd;q=0.9, *;q=0")
	resp, image := text("Cache-Control: no-transform"), text("Content-Type: image/png")
	pass := func() {
		_ = p.Encode(p.Negotiate(&x.Request), x, resp)
		_ = p.Encode(p.Negotiate(&y.Request), y, resp)
		_ = p.Encode(p.Negotiate(&y.Request), y, image)
	}
	if n := testing.AllocsPerRun(100, pass); n != 0 {
		t.Errorf("responses that stay as they are cost %v allocations, want none", n)
	}
}
