package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"time"
)

// A refuser is a connection of a worker that takes no request: each is refused by
// REFUSED_STREAM, and after some of them one by GOAWAY, which ends the connection.
type refuser struct {
	conn net.Conn
	in   io.Reader
	left int // requests until GOAWAY
}

// refuse attaches to a router again and again.
func refuse(router, instance string) error {
	for {
		r, err := dialIn(router, instance)
		if err == nil {
			fmt.Println("attached to", router)
			err = r.serve()
			_ = r.conn.Close()
		}
		fmt.Println("left:", err)
		time.Sleep(20 * time.Millisecond)
	}
}

// dialIn attaches by the upgrade. Package worker could not refuse anything.
func dialIn(router, instance string) (*refuser, error) {
	c, err := net.DialTimeout("tcp", router, 5*time.Second)
	if err != nil {
		return nil, err
	}
	in, err := upgrade(c, router, instance)
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	r := &refuser{conn: c, in: in, left: 1 + rand.IntN(8)}
	return r, r.say(frame{kind: settings})
}

func upgrade(c net.Conn, router, instance string) (*bufio.Reader, error) {
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	_, _ = fmt.Fprintf(c, "GET /.well-known/weir/attach HTTP/1.1\r\nHost: %s\r\nConnection: upgrade\r\n"+
		"Upgrade: ptth\r\nALPN: h2\r\nWeir-Instance: %s\r\n\r\n", router, instance)
	in := bufio.NewReader(c)
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return nil, errors.New(resp.Status)
	}
	begins := make([]byte, len(preface))
	if _, err := io.ReadFull(in, begins); err != nil {
		return nil, err
	}
	if string(begins) != preface {
		return nil, fmt.Errorf("the router begins with %q", begins)
	}
	return in, c.SetDeadline(time.Time{})
}

// serve refuses until the connection ends.
func (r *refuser) serve() error {
	for {
		f, err := readFrame(r.in)
		if err == nil {
			err = r.answer(f)
		}
		if err != nil {
			return err
		}
	}
}

func (r *refuser) answer(f frame) error {
	switch {
	case f.kind == settings && f.flags&ack == 0:
		return r.say(frame{kind: settings, flags: ack})
	case f.kind == ping && f.flags&ack == 0:
		return r.say(frame{kind: ping, flags: ack, payload: f.payload})
	case f.kind == data && len(f.payload) > 0: // there has to be room for the rest
		return r.say(frame{kind: windowUpdate, payload: number(uint32(len(f.payload)))})
	case f.kind == headers:
		return r.turnAway(f.stream)
	}
	return nil
}

// turnAway refuses a request.
func (r *refuser) turnAway(stream uint32) error {
	r.left--
	switch {
	case r.left > 0:
		return r.say(frame{kind: rstStream, stream: stream, payload: number(refusedStream)})
	case r.left < 0: // it was told, or will see
		return nil
	}
	// The router closes the connection, for nothing is under way on it.
	_ = r.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	return r.say(frame{kind: goAway, payload: append(number(stream-1), number(0)...)})
}

func (r *refuser) say(f frame) error {
	_, err := r.conn.Write(f.wire())
	return err
}

// What is needed of HTTP/2 (RFC 9113).
const (
	preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

	data, headers, rstStream, settings, ping, goAway, windowUpdate = 0, 1, 3, 4, 6, 7, 8

	ack           = 1 // a flag
	refusedStream = 7 // an error
)

// A frame is what both sides speak in (§4.1).
type frame struct {
	kind, flags byte
	stream      uint32
	payload     []byte
}

func readFrame(in io.Reader) (frame, error) {
	var head [9]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return frame{}, err
	}
	f := frame{kind: head[3], flags: head[4], stream: binary.BigEndian.Uint32(head[5:])}
	f.payload = make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
	_, err := io.ReadFull(in, f.payload)
	return f, err
}

func (f frame) wire() []byte {
	n := len(f.payload)
	head := []byte{byte(n >> 16), byte(n >> 8), byte(n), f.kind, f.flags}
	return append(append(head, number(f.stream)...), f.payload...)
}

func number(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
