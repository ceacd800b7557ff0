package attack

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2/hpack"
)

// tokenOfVillain lets its owner serve default, prey and shop@v1.
const (
	tokenOfVillain = "token-of-the-villain-01"
	tokenOfHonest  = "token-of-the-honest-001"
)

// A villain is the attacker's end of one connection. What it writes is whatever the
// test says.
type villain struct {
	t     *testing.T
	nc    net.Conn
	r     *bufio.Reader
	block bytes.Buffer
	enc   *hpack.Encoder
	dec   *hpack.Decoder

	requests chan request // that have come; closed at the end of the connection
	goAway   chan string  // what the router said at last, if it did
}

// A request is one that the villain was sent.
type request struct {
	stream uint32
	fields map[string]string
	end    bool
}

// handshake asks to attach with these fields, and returns the router's answer.
func handshake(t *testing.T, address string, fields ...string) (net.Conn, *bufio.Reader, *http.Response) {
	t.Helper()
	nc, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(soon))
	r := bufio.NewReader(nc)
	if _, err := io.WriteString(nc, asking(fields...)); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	return nc, r, answer
}

// asking is a request to attach.
func asking(fields ...string) string {
	fields = append([]string{
		"GET /.well-known/weir/attach HTTP/1.1", "Host: router", "Connection: upgrade", "Upgrade: ptth", "ALPN: h2",
	}, fields...)
	return strings.Join(fields, "\r\n") + "\r\n\r\n"
}

func bearer(token string) string { return "Authorization: Bearer " + token }

// infiltrate attaches a villain, which has not said a word of HTTP/2 yet.
func infiltrate(t *testing.T, address string, fields ...string) *villain {
	t.Helper()
	nc, r, answer := handshake(t, address, append(fields, bearer(tokenOfVillain))...)
	if answer.StatusCode != http.StatusSwitchingProtocols {
		text, _ := io.ReadAll(answer.Body)
		t.Fatalf("the villain was refused: %d %s", answer.StatusCode, text)
	}
	v := &villain{t: t, nc: nc, r: r, dec: hpack.NewDecoder(4096, nil), requests: make(chan request, 4096), goAway: make(chan string, 1)}
	v.enc = hpack.NewEncoder(&v.block)
	return v
}

// begin says SETTINGS, and reads whatever comes from now on.
func (v *villain) begin(settings ...uint32) *villain {
	v.settings(settings...)
	go v.read()
	return v
}

func (v *villain) leave() { _ = v.nc.Close() }

func (v *villain) read() {
	defer close(v.requests)
	if _, err := io.ReadFull(v.r, make([]byte, len(preface))); err != nil {
		return
	}
	for {
		f, err := readFrame(v.r)
		if err != nil {
			return
		}
		switch f.kind {
		case headers:
			v.requests <- v.request(f)
		case goAway:
			v.goAway <- fmt.Sprintf("GOAWAY %d %s", f.payload[7], f.payload[8:])
			_, _ = io.Copy(io.Discard, v.r)
			return
		}
	}
}

// request decodes a head. The router sends none that needs two frames here.
func (v *villain) request(f heard) request {
	r := request{stream: f.stream, fields: map[string]string{}, end: f.flags&endStream != 0}
	list, err := v.dec.DecodeFull(f.payload)
	if err != nil {
		v.t.Errorf("the head of a request cannot be decoded: %v", err)
	}
	for _, field := range list {
		r.fields[field.Name] += field.Value
	}
	return r
}

// await returns the next request.
func (v *villain) await() request {
	v.t.Helper()
	select {
	case r, ok := <-v.requests:
		if !ok {
			v.t.Fatalf("the connection of the villain ended before it got a request (%s)", v.lastWord())
		}
		return r
	case <-time.After(soon):
		v.t.Fatal("the villain gets no request")
	}
	return request{}
}

func (v *villain) lastWord() string {
	select {
	case text := <-v.goAway:
		return text
	default:
		return "without GOAWAY"
	}
}

// awaitEnd waits until the router has ended the connection, and returns its last
// word.
func (v *villain) awaitEnd() string {
	v.t.Helper()
	late := time.After(soon)
	for {
		select {
		case _, ok := <-v.requests:
			if !ok {
				return v.lastWord()
			}
		case <-late:
			v.t.Fatal("the router does not end the villain's connection")
		}
	}
}

// write sends bytes as they are; false if the connection has ended, or should have
// long ago.
func (v *villain) write(b []byte) bool {
	_, err := v.nc.Write(b)
	return err == nil
}

func (v *villain) frame(k kind, flags byte, stream uint32, payload []byte) bool {
	return v.write(frame(k, flags, stream, payload))
}

// settings says pairs of identifiers and values.
func (v *villain) settings(pairs ...uint32) bool {
	return v.frame(settings, 0, 0, settingsOf(pairs...))
}

// encode makes a block of names and values.
func (v *villain) encode(fields ...string) []byte {
	v.block.Reset()
	for i := 0; i+1 < len(fields); i += 2 {
		_ = v.enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return bytes.Clone(v.block.Bytes())
}

// head sends a block in as many frames as it takes.
func (v *villain) head(stream uint32, end bool, fields ...string) bool {
	block, k, flags := v.encode(fields...), headers, byte(0)
	if end {
		flags = endStream
	}
	for len(block) > longest {
		if !v.frame(k, flags, stream, block[:longest]) {
			return false
		}
		block, k, flags = block[longest:], continuation, 0
	}
	return v.frame(k, flags|endHeaders, stream, block)
}

func (v *villain) data(stream uint32, end bool, text string) bool {
	flags := byte(0)
	if end {
		flags = endStream
	}
	return v.frame(data, flags, stream, []byte(text))
}
