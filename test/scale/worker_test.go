//go:build unix

package scale

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A worker is one connection of a worker, at the level of frames. It answers every
// request with its name.
type worker struct {
	name   string
	served atomic.Int64

	nc     net.Conn
	in     *bufio.Reader
	mu     sync.Mutex // held to write
	answer []byte     // the frames of a response; the stream is put in
	ended  chan struct{}
	err    error // why it has ended; read it then
}

// capacity is how many requests a worker takes at once.
const capacity = 100

// attach attaches a worker of that name with these further fields, and serves it
// until it leaves or the router does.
func attach(address, name string, fields ...string) (*worker, error) {
	nc, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		return nil, err
	}
	w := &worker{name: name, nc: nc, in: bufio.NewReaderSize(nc, 512), answer: response(name), ended: make(chan struct{})}
	_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
	if err := w.upgrade(fields); err != nil {
		_ = nc.Close()
		return nil, err
	}
	_ = nc.SetDeadline(time.Time{})
	go w.serve()
	return w, nil
}

// upgrade comes in by the first door.
func (w *worker) upgrade(fields []string) error {
	request := "GET /.well-known/weir/attach HTTP/1.1\r\nHost: router\r\nConnection: upgrade\r\nUpgrade: ptth\r\nALPN: h2\r\nWeir-Instance: " + w.name + "\r\n"
	for _, f := range fields {
		request += f + "\r\n"
	}
	if _, err := io.WriteString(w.nc, request+"\r\n"); err != nil {
		return err
	}
	resp, err := http.ReadResponse(w.in, nil)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return &refusal{resp.StatusCode}
	}
	return w.write(settings)
}

// A refusal is an answer to a worker that may not attach.
type refusal struct{ status int }

func (r *refusal) Error() string { return fmt.Sprintf("refused with %d", r.status) }

// The frames that a worker needs to know (RFC 9113 §6).
const (
	frameData     = 0
	frameHeaders  = 1
	frameSettings = 4
	framePing     = 6
	frameGoAway   = 7
	frameHead     = 9
	flagEnd       = 1 // END_STREAM, and ACK
	flagEndHead   = 4
)

func frame(kind, flags byte, stream uint32, payload ...byte) []byte {
	n := len(payload)
	f := []byte{byte(n >> 16), byte(n >> 8), byte(n), kind, flags, 0, 0, 0, 0}
	binary.BigEndian.PutUint32(f[5:], stream)
	return append(f, payload...)
}

var (
	settings    = frame(frameSettings, 0, 0, 0, 3, 0, 0, 0, capacity) // MAX_CONCURRENT_STREAMS
	settingsAck = frame(frameSettings, flagEnd, 0)
	preface     = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
)

// response is the frames of a 200 with this content, on stream 0. HPACK has an
// index for the status, and one for the name content-length (RFC 7541 §6.2.2).
func response(content string) []byte {
	length := strconv.Itoa(len(content))
	block := append([]byte{0x88, 0x0f, 0x0d, byte(len(length))}, length...)
	return append(frame(frameHeaders, flagEndHead, 0, block...), frame(frameData, flagEnd, 0, []byte(content)...)...)
}

// serve answers until the connection ends.
func (w *worker) serve() {
	defer close(w.ended)
	defer w.nc.Close()
	w.err = w.read()
}

func (w *worker) read() error {
	var head [frameHead]byte
	if _, err := io.ReadFull(w.in, make([]byte, len(preface))); err != nil {
		return err
	}
	for {
		if _, err := io.ReadFull(w.in, head[:]); err != nil {
			return err
		}
		length := int(head[0])<<16 | int(head[1])<<8 | int(head[2])
		if err := w.take(head[3], head[4], binary.BigEndian.Uint32(head[5:]), length); err != nil {
			return err
		}
	}
}

// take takes a frame whose payload is yet to be read.
func (w *worker) take(kind, flags byte, stream uint32, length int) error {
	var payload [8]byte
	if kind == framePing {
		if _, err := io.ReadFull(w.in, payload[:]); err != nil {
			return err
		}
		length = 0
	}
	if _, err := w.in.Discard(length); err != nil {
		return err
	}
	switch {
	case kind == framePing && flags&flagEnd == 0:
		return w.write(frame(framePing, flagEnd, 0, payload[:]...))
	case kind == frameSettings && flags&flagEnd == 0:
		return w.write(settingsAck)
	case kind == frameGoAway:
		return errors.New("the router said GOAWAY")
	case (kind == frameHeaders || kind == frameData) && flags&flagEnd != 0:
		w.served.Add(1)
		return w.respond(stream)
	}
	return nil
}

func (w *worker) respond(stream uint32) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	binary.BigEndian.PutUint32(w.answer[5:], stream)
	data := frameHead + int(w.answer[2])
	binary.BigEndian.PutUint32(w.answer[data+5:], stream)
	_, err := w.nc.Write(w.answer)
	return err
}

func (w *worker) write(p []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err := w.nc.Write(p)
	return err
}

// drain says GOAWAY; the router ends the connection when nothing is under way.
func (w *worker) drain() {
	_ = w.write(frame(frameGoAway, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0))
	<-w.ended
}

// leave closes the connection.
func (w *worker) leave() {
	_ = w.nc.Close()
	<-w.ended
}

// leaveAll has workers leave side by side.
func leaveAll(workers []*worker) {
	for _, w := range workers {
		_ = w.nc.Close()
	}
	for _, w := range workers {
		<-w.ended
	}
}
