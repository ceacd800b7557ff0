package sidecar

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2/hpack"
)

// An end of the stream in a frame of its own is one more write, and some peers hold
// back the frame before it, waiting for more.
func TestHandler_EndsTheStreamWithTheLastContent(t *testing.T) {
	local := listenRaw(t)
	r := attach(t, local.url(), Options{})
	for name, c := range map[string]struct {
		answer string
		frames []string
	}{
		"a length": {
			lines("HTTP/1.1 200 OK", "Content-Length: 3") + "abc",
			[]string{"HEADERS", "DATA abc, end"},
		},
		"chunks": {
			lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + "3\r\nabc\r\n0\r\n\r\n",
			[]string{"HEADERS", "DATA abc, end"},
		},
		"trailers": {
			lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + "3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n",
			[]string{"HEADERS", "DATA abc", "HEADERS, end"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r.local.Close()
			heads := local.serveOne(t, c.answer)
			frames := framesOfAnswer(t, strings.TrimPrefix(r.url, "http://"))
			<-heads
			if !reflect.DeepEqual(frames, c.frames) {
				t.Errorf("the answer comes as %q, want %q", frames, c.frames)
			}
		})
	}
}

// An answer that breaks off still has what came before.
func TestStream_FlushesWhatComesWithAFailure(t *testing.T) {
	broken := errors.New("broken")
	var to bytes.Buffer
	var flushed string
	err := stream(&to, func() error { flushed = to.String(); return nil }, breaking{broken})
	if !errors.Is(err, broken) || flushed != "abc" {
		t.Errorf("%q is flushed, and the error is %v; want abc and %v", flushed, err, broken)
	}
}

// breaking reads as abc and a failure, at once.
type breaking struct{ err error }

func (b breaking) Read(p []byte) (int, error) { return copy(p, "abc"), b.err }

// The types of frames, and their flags (RFC 9113 §6).
const (
	dataFrame, headersFrame, resetFrame, settingsFrame = 0, 1, 3, 4
	endStream, endHeaders                              = 1, 4
)

// framesOfAnswer sends a GET to a server of HTTP/2, and returns the frames of the
// answer.
func framesOfAnswer(t *testing.T, address string) (frames []string) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(soon))
	var block bytes.Buffer
	fields := hpack.NewEncoder(&block)
	for _, field := range [][2]string{{":method", "GET"}, {":scheme", "http"}, {":authority", "shop.example"}, {":path", "/"}} {
		_ = fields.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
	}
	sent := []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	sent = appendFrame(sent, settingsFrame, 0, 0, nil)
	sent = appendFrame(sent, headersFrame, endStream|endHeaders, 1, block.Bytes())
	if _, err := c.Write(sent); err != nil {
		t.Fatal(err)
	}
	for {
		var head [9]byte
		_, err := io.ReadFull(c, head[:])
		payload := make([]byte, binary.BigEndian.Uint32(head[:])>>8)
		if err == nil {
			_, err = io.ReadFull(c, payload)
		}
		if err != nil || head[3] == resetFrame {
			t.Fatalf("after %q comes no end of the stream: %v", frames, err)
		}
		text := ""
		switch head[3] {
		case headersFrame:
			text = "HEADERS"
		case dataFrame:
			text = fmt.Sprintf("DATA %s", payload)
		default:
			continue
		}
		if head[4]&endStream != 0 {
			return append(frames, text+", end")
		}
		frames = append(frames, text)
	}
}

func appendFrame(to []byte, kind, flags byte, stream uint32, payload []byte) []byte {
	to = binary.BigEndian.AppendUint32(to, uint32(len(payload))<<8|uint32(kind))
	to = append(to, flags)
	to = binary.BigEndian.AppendUint32(to, stream)
	return append(to, payload...)
}
