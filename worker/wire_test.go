package worker

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"golang.org/x/net/http2/hpack"
)

// A piece is one frame as it was read.
type piece struct {
	frameHead
	payload []byte
}

// cutFrames cuts bytes into frames; rest is what is no whole one.
func cutFrames(b []byte) (all []piece, rest []byte) {
	for len(b) >= frameHeadSize {
		f := parseFrameHead(b)
		if len(b) < frameHeadSize+f.length {
			break
		}
		all = append(all, piece{f, b[frameHeadSize : frameHeadSize+f.length]})
		b = b[frameHeadSize+f.length:]
	}
	return all, b
}

func frameOf(kind, flags byte, stream uint32, payload string) []byte {
	return append(frameHead{length: len(payload), kind: kind, flags: flags, stream: stream}.append(nil), payload...)
}

// noEvents hears nothing.
var noEvents = inboundEvents{settings: func() {}, sign: func() {}, goAway: func(string) {}, credit: func(int) {}}

// pass returns what the server gets of what the router sends.
func pass(in io.Reader, s *streams, e inboundEvents) (string, error) {
	r := newInbound(bufio.NewReaderSize(in, inboundBuffer), s, e)
	out, err := io.ReadAll(r)
	return string(out), err
}

// compressor writes heads as a router does that compresses them.
type compressor struct {
	buf bytes.Buffer
	enc *hpack.Encoder
}

func newCompressor() *compressor {
	c := new(compressor)
	c.enc = hpack.NewEncoder(&c.buf)
	return c
}

func (c *compressor) block(fields ...string) string {
	c.buf.Reset()
	for i := 0; i < len(fields); i += 2 {
		_ = c.enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}) // into memory
	}
	return c.buf.String()
}

// heads reads all heads in frames, written as name=value.
func heads(t *testing.T, frames []piece) (all []string) {
	t.Helper()
	dec := hpack.NewDecoder(4096, nil)
	var block []byte
	for _, f := range frames {
		if f.kind != frameHeaders && f.kind != frameContinuation {
			continue
		}
		if block = append(block, f.payload...); !f.has(flagEndHeaders) {
			continue
		}
		fields, err := dec.DecodeFull(block)
		if err != nil {
			t.Fatalf("what the server gets cannot be decompressed: %v", err)
		}
		var text []string
		for _, field := range fields {
			text = append(text, field.Name+"="+field.Value)
		}
		all, block = append(all, strings.Join(text, " ")), nil
	}
	return all
}

func TestInbound_WritesHeadsAnew(t *testing.T) {
	c := newCompressor()
	var sent []byte
	add := func(b []byte) { sent = append(sent, b...) }
	long := strings.Repeat("x", 40000)
	connect := []string{":method", "CONNECT", ":protocol", "websocket", ":scheme", "https", ":path", "/c", ":authority", "a", "k", "v"}
	add(frameOf(frameHeaders, flagEndHeaders|flagEndStream, 1, c.block(":method", "GET", ":path", workerPath, "k", "v", "weir-first-request", "2")))
	add(frameOf(frameHeaders, flagEndHeaders, 3, c.block(connect...)))
	add(frameOf(frameHeaders, flagEndHeaders, 5, c.block(connect...))) // by the table alone
	block := c.block(":method", "GET", ":path", workerPath, "k", long, "weir-extended-connect", "websocket")
	add(frameOf(frameHeaders, flagPadded|flagPriority, 7, "\x02\x00\x00\x00\x00\x10"+block[:10]+"\x00\x00"))
	add(frameOf(frameContinuation, 0, 7, block[10:12]))
	add(frameOf(frameContinuation, flagEndHeaders, 7, block[12:]))
	add(frameOf(frameData, 0, 7, "content"))
	add(frameOf(frameHeaders, flagEndHeaders|flagEndStream, 7, c.block("trailer", "t", "weir-first-request", "1")))
	s := newStreams()
	got, err := pass(iotest.HalfReader(bytes.NewReader(sent)), s, noEvents)
	frames, rest := cutFrames([]byte(got))
	if err != nil || len(rest) > 0 {
		t.Fatalf("the server gets %d frames, and %q (%v)", len(frames), rest, err)
	}
	tunnel := ":method=GET :scheme=https :path=/c :authority=a k=v weir-extended-connect=websocket"
	want := []string{
		":method=GET :path=" + workerPath + " k=v weir-first-request=1",
		tunnel, tunnel,
		":method=GET :path=" + workerPath + " k=" + long, "trailer=t",
	}
	if got := heads(t, frames); !slices.Equal(got, want) {
		t.Errorf("the server gets the heads %.300q, not %.300q", got, want)
	}
	if last := frames[len(frames)-1]; !last.ends() || frames[0].flags != flagEndHeaders|flagEndStream {
		t.Errorf("END_STREAM is lost: the flags are %x and %x", frames[0].flags, last.flags)
	}
	if n := s.count(); n != 4 {
		t.Errorf("%d streams are under way, not 4", n)
	}
}

func TestInbound_EndsWithWhatIsAgainstTheRules(t *testing.T) {
	c := newCompressor()
	get := c.block(":method", "GET", ":path", "/")
	for what, sent := range map[string][]byte{
		"a head that is cut by another frame": append(frameOf(frameHeaders, 0, 1, get), frameOf(frameData, 0, 1, "")...),
		"a head that goes on elsewhere":       append(frameOf(frameHeaders, 0, 1, get), frameOf(frameContinuation, flagEndHeaders, 3, "")...),
		"a head that goes on with nothing":    append(frameOf(frameHeaders, 0, 1, get), frameOf(frameContinuation, 0, 1, "")...),
		"more padding than there is":          frameOf(frameHeaders, flagEndHeaders|flagPadded, 1, "\x09abc"),
		"padding of nothing":                  frameOf(frameHeaders, flagEndHeaders|flagPadded, 1, ""),
		"a priority that is cut":              frameOf(frameHeaders, flagEndHeaders|flagPriority, 1, "\x00\x00"),
		"a head that cannot be decompressed":  frameOf(frameHeaders, flagEndHeaders, 1, "\xff\xff\xff\xff\xff\xff"),
		"a head that is too large":            frameOf(frameHeaders, flagEndHeaders, 1, strings.Repeat("x", maxBlock+1)),
		"a head that is too large when it is read": frameOf(frameHeaders, flagEndHeaders, 1,
			c.block("k", strings.Repeat("x", 3000))+strings.Repeat("\xbe", 400)),
		"a frame that is cut": frameOf(frameData, 0, 1, "")[:5],
	} {
		if out, err := pass(bytes.NewReader(sent), newStreams(), noEvents); err == nil {
			t.Errorf("%s is passed to the server as %.60q", what, out)
		}
	}
}

// FuzzInbound looks for bytes of a router that the server would not get as whole
// frames, or that pretend to come from here.
func FuzzInbound(f *testing.F) {
	c := newCompressor()
	get := c.block(":method", "GET", ":path", workerPath, "weir-first-request", "1")
	connect := c.block(":method", "CONNECT", ":protocol", "websocket", ":path", "/", "k", "v")
	f.Add(slices.Concat(frameOf(frameSettings, 0, 0, ""), frameOf(frameHeaders, 5, 1, get), frameOf(frameHeaders, 4, 3, connect)))
	f.Add(slices.Concat(frameOf(frameHeaders, 0, 1, get[:2]), frameOf(frameContinuation, 4, 1, get[2:]), frameOf(frameData, 1, 1, "x")))
	f.Add(slices.Concat(frameOf(framePing, 1, 0, sign), frameOf(frameGoAway, 0, 0, "12345678reason"), frameOf(frameReset, 0, 1, "1234")))
	f.Add(frameOf(frameHeaders, 0x2d, 1, "\x01\x00\x00\x00\x00\x10"+get+"\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := newStreams()
		out, err := pass(iotest.OneByteReader(bytes.NewReader(data)), s, noEvents)
		frames, rest := cutFrames([]byte(out))
		if len(rest) > 0 && err == nil && !bytes.HasSuffix(data, rest) {
			t.Fatalf("%q ends for the server with %q", data, rest)
		}
		all := heads(t, frames)
		for i, head := range all {
			fields := strings.Split(head, " ")
			firsts := slices.DeleteFunc(slices.Clone(fields), func(f string) bool { return !strings.HasPrefix(f, fieldFirst+"=") })
			if len(firsts) > 1 || len(firsts) == 1 && !slices.Contains(fields, ":path="+workerPath) {
				t.Fatalf("head %d of %q is %q", i, data, head)
			}
		}
		if n := strings.Count(strings.Join(all, " ")+" ", fieldFirst+"=1 "); n > 1 && !bytes.Contains(data, []byte(fieldFirst+"=1")) {
			t.Fatalf("of %q, %d requests are the first", data, n)
		}
	})
}

// A sink is a connection that keeps what is written.
type sink struct {
	net.Conn
	bytes.Buffer
}

func (s *sink) Write(p []byte) (int, error)      { return s.Buffer.Write(p) }
func (s *sink) Read(p []byte) (int, error)       { return s.Buffer.Read(p) }
func (s *sink) SetWriteDeadline(time.Time) error { return nil }

func newOutbound() (*outbound, *sink) {
	s := new(sink)
	return &outbound{nc: s, streams: newStreams(), left: func() {}}, s
}

func TestOutbound_AllowsExtendedConnectOnce(t *testing.T) {
	const allowed = "\x00\x08\x00\x00\x00\x01"
	for settings, want := range map[string]string{
		"":                                   allowed,
		"\x00\x03\x00\x00\x00\x64":           "\x00\x03\x00\x00\x00\x64" + allowed,
		"\x00\x03\x00\x00\x00\x64" + allowed: "\x00\x03\x00\x00\x00\x64" + allowed,
	} {
		o, s := newOutbound()
		for _, b := range append(frameOf(frameSettings, 0, 0, settings), frameOf(frameSettings, 0, 0, "")...) {
			if n, err := o.Write([]byte{b}); n != 1 || err != nil {
				t.Fatalf("a byte is written as %d (%v)", n, err)
			}
		}
		frames, rest := cutFrames(s.Bytes())
		if len(frames) != 2 || len(rest) > 0 || string(frames[0].payload) != want || len(frames[1].payload) > 0 {
			t.Errorf("the settings %q are sent as %v, not as %q", settings, frames, want)
		}
	}
}

// FuzzOutbound has a server write frames in pieces, and us say something between
// them: all must arrive, in order, and nothing of ours within a frame or a head.
func FuzzOutbound(f *testing.F) {
	f.Add([]byte{0, 5, 3, 9, 1, 200, 4, 4, 7}, []byte{3, 0, 1, 9, 0, 50})
	f.Add([]byte{1, 1, 1, 1, 9, 9, 2}, []byte{1, 1, 1, 0, 0})
	f.Fuzz(func(t *testing.T, plan, cuts []byte) {
		o, s := newOutbound()
		sent := frameOf(frameSettings, 0, 0, "")
		for i, n := range plan {
			stream := uint32(i*2 + 1)
			o.streams.open[stream] = halves{in: true}
			payload := strings.Repeat("p", int(n))
			if n%3 == 0 { // a head in two pieces
				sent = append(sent, frameOf(frameHeaders, flagEndStream, stream, payload)...)
				sent = append(sent, frameOf(frameContinuation, flagEndHeaders, stream, payload)...)
			} else {
				sent = append(sent, frameOf(frameData, flagEndStream, stream, payload)...)
			}
		}
		said := 0
		for rest, i := sent, 0; len(rest) > 0; i++ {
			n := len(rest)
			if i < len(cuts) {
				if n = min(n, int(cuts[i])); n == 0 {
					o.say(appendPing(nil, "ourownon"))
					said++
					continue
				}
			}
			if _, err := o.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		frames, rest := cutFrames(s.Bytes())
		inHead, theirs := false, []byte(nil)
		for i, f := range frames {
			if f.kind == framePing {
				if said--; inHead {
					t.Fatalf("frame %d, ours, stands within a head", i)
				}
				continue
			}
			inHead = (f.kind == frameHeaders || f.kind == frameContinuation) && !f.has(flagEndHeaders)
			if i > 0 && f.kind != frameSettings {
				theirs = append(append(theirs, f.append(nil)...), f.payload...)
			}
		}
		if said != 0 || len(rest) > 0 || !bytes.Equal(theirs, sent[frameHeadSize:]) {
			t.Fatalf("%d of our frames are missing, %d bytes are left over, the server's are the same: %t", said, len(rest), bytes.Equal(theirs, sent[frameHeadSize:]))
		}
		if n := o.streams.count(); n != 0 {
			t.Fatalf("%d streams are still under way when all is sent", n)
		}
	})
}
