package compress

import (
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/weirproxy/weir/internal/exchange"
)

// compressed returns the body of a response with that source in that coding.
func compressed(t testing.TB, e *Encoders, coding string, source exchange.Body) *Body {
	t.Helper()
	p, x := policy(t, Options{Encoders: e}), asking("Accept-Encoding: "+coding)
	resp := text()
	resp.Body, resp.Length = source, exchange.LengthUnknown
	b := p.Encode(p.Negotiate(&x.Request), x, resp)
	if b == nil {
		t.Fatalf("a response is not compressed by %s", coding)
	}
	return b
}

func TestBody_HandsOutWhateverHasArrived(t *testing.T) {
	e := NewEncoders(0)
	for _, coding := range algorithmNames {
		b := compressed(t, e, coding, &script{pieces: []string{"one ", "", "two ", "three ", "", "", strings.Repeat("four ", 100), ""}})
		so := ""
		for _, want := range []string{"one ", "one two three ", "one two three " + strings.Repeat("four ", 100)} {
			data, err := b.Next(false)
			if data == nil && err == nil {
				data, err = b.Next(true)
			}
			so += string(data)
			if got, _ := decode(t, coding, so); err != nil || got != want {
				t.Errorf("%s: the client can read %q (%v) when %q has arrived", coding, got, err, want)
			}
			if data, err := b.Next(false); data != nil || err != nil {
				t.Errorf("%s: %q (%v) is handed out although nothing more has arrived", coding, data, err)
			}
		}
		data, err := b.Next(true)
		if got, bad := decode(t, coding, so+string(data)); err != nil || bad != nil || !strings.HasSuffix(got, "four ") {
			t.Errorf("%s: the content does not end as it should: %v, %v", coding, err, bad)
		}
		for range 2 {
			if data, err := b.Next(true); data != nil || err != io.EOF {
				t.Errorf("%s: after the end there is %q, %v", coding, data, err)
			}
		}
		b.Release()
	}
}

func TestBody_ShowsThatContentIsCutShort(t *testing.T) {
	e := NewEncoders(0)
	failure := exchange.Fail(exchange.CodeResponseIncomplete, "", nil)
	for _, coding := range algorithmNames {
		for _, pieces := range [][]string{{"a lot of ", "content"}, {"a lot of ", "", "content"}, {"a lot of content", ""}} {
			b := compressed(t, e, coding, &script{pieces: pieces, end: failure})
			writes, err := drain(b)
			if !errors.Is(err, error(failure)) {
				t.Errorf("%s: the content ends with %v, want the endpoint's failure", coding, err)
			}
			got, bad := decode(t, coding, strings.Join(writes, ""))
			if got != "a lot of content" || bad == nil {
				t.Errorf("%s: the client reads %q, and then %v; want all that arrived, and an error", coding, got, bad)
			}
			b.Release()
		}
		b := compressed(t, e, coding, &script{end: failure})
		if data, err := b.Next(true); data != nil || !errors.Is(err, error(failure)) {
			t.Errorf("%s: content that fails at once is %q, %v", coding, data, err)
		}
		b.Release()
	}
}

// TestBody_IsWhatItWas sends random content in random pieces through few encoders,
// some of them cut short.
func TestBody_IsWhatItWas(t *testing.T) {
	r := rand.New(rand.NewPCG(1952, 8878))
	e := NewEncoders(1)
	for i := range 70 {
		coding := algorithmNames[i%len(algorithmNames)]
		s := &script{}
		for range r.IntN(12) {
			s.pieces = append(s.pieces, piece(r))
		}
		want := strings.Join(s.pieces, "")
		b := compressed(t, e, coding, s)
		if i%7 == 6 { // nobody reads to the end
			_, _ = b.Next(true)
			b.Release()
			continue
		}
		writes, err := drain(b)
		got, bad := decode(t, coding, strings.Join(writes, ""))
		if err != io.EOF || bad != nil || got != want {
			t.Fatalf("%s: %d bytes become %d (%v, %v)", coding, len(want), len(got), err, bad)
		}
		for _, w := range writes {
			if len(w) > len(want)+1<<10 {
				t.Errorf("%s: %d bytes are sent for %d", coding, len(w), len(want))
			}
		}
		b.Release()
	}
}

func piece(r *rand.Rand) string {
	switch r.IntN(4) {
	case 0:
		return ""
	case 1: // noise
		p := make([]byte, r.IntN(70<<10))
		for i := range p {
			p[i] = byte(r.Uint32())
		}
		return string(p)
	default:
		return strings.Repeat("word ", r.IntN(40_000))
	}
}

func TestBody_HandsOutLittleAtATime(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	noise := make([]byte, 2<<20)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	for _, coding := range algorithmNames {
		b := compressed(t, NewEncoders(0), coding, &script{pieces: []string{string(noise)}})
		for {
			data, err := b.Next(true)
			if err != nil {
				break
			}
			if len(data) > 512<<10 {
				t.Fatalf("%s hands out %d bytes at once", coding, len(data))
			}
		}
		b.Release()
	}
}

func TestBody_LeavesDigestsOutOfTheTrailer(t *testing.T) {
	s := &script{pieces: []string{"x"}, trailer: fields("Server-Timing: a", "Content-Digest: b", "repr-digest: c", "DIGEST: d", "Content-MD5: e")}
	b := compressed(t, NewEncoders(0), "gzip", s)
	defer b.Release()
	_, _ = drain(b)
	if got := sent(b.Trailer()); len(got) != 1 || got[0] != "Server-Timing: a" {
		t.Errorf("the trailer has %q, want all but digests", got)
	}
}

func TestBody_OfNobodyCanBeReleased(*testing.T) { (*Body)(nil).Release() }
