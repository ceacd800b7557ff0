package dns

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// query asks one server: over UDP, and over TCP if the answer does not fit. A server
// that does not know EDNS0 is asked without.
func query(ctx context.Context, server string, q question, timeout time.Duration) (message, error) {
	for _, extended := range []bool{true, false} {
		m, err := queryOver(ctx, "udp", server, q, timeout, extended)
		if err == nil && m.truncated {
			m, err = queryOver(ctx, "tcp", server, q, timeout, extended)
		}
		if err != nil {
			return message{}, explain(ctx, err, timeout)
		}
		if m.rcode != dnsmessage.RCodeFormatError && m.rcode != dnsmessage.RCodeNotImplemented || !extended {
			return m, nil
		}
	}
	panic("not reached")
}

func queryOver(ctx context.Context, network, server string, q question, timeout time.Duration, extended bool) (message, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var dialer net.Dialer
	// Every question has a socket of its own, and with it a port that is hard to guess.
	conn, err := dialer.DialContext(ctx, network, server)
	if err != nil {
		return message{}, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()

	var random [2]byte
	rand.Read(random[:]) // never fails
	id := binary.BigEndian.Uint16(random[:])
	if network == "tcp" {
		return overStream(conn, id, q, extended)
	}
	return overDatagrams(conn, id, q, extended)
}

// overDatagrams asks over UDP. What does not answer the question is passed over:
// somebody may be guessing.
func overDatagrams(conn net.Conn, id uint16, q question, extended bool) (message, error) {
	b, err := appendQuestion(nil, id, q, extended)
	if err != nil {
		return message{}, err
	}
	if _, err := conn.Write(b); err != nil {
		return message{}, err
	}
	room := make([]byte, 64<<10)
	for {
		n, err := conn.Read(room)
		if err != nil {
			return message{}, err
		}
		m, err := readMessage(room[:n], id, q)
		if !errors.Is(err, errNotOurs) {
			return m, err
		}
	}
}

// overStream asks over TCP, where every message has its length before it.
func overStream(conn net.Conn, id uint16, q question, extended bool) (message, error) {
	b, err := appendQuestion(make([]byte, 2), id, q, extended)
	if err != nil {
		return message{}, err
	}
	binary.BigEndian.PutUint16(b, uint16(len(b)-2))
	if _, err := conn.Write(b); err != nil {
		return message{}, err
	}
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return message{}, err
	}
	room := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(conn, room); err != nil {
		return message{}, err
	}
	m, err := readMessage(room, id, q)
	if err == nil && m.truncated {
		err = errors.New("its answer is truncated over TCP, too")
	}
	return m, err
}

// explain leaves out what differs from try to try, such as our own port: the same outage
// reads the same.
func explain(ctx context.Context, err error, timeout time.Duration) error {
	var wire net.Error
	if ctx.Err() == nil && (errors.As(err, &wire) && wire.Timeout() || errors.Is(err, context.DeadlineExceeded)) {
		return fmt.Errorf("no answer within %v", timeout)
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it closes the connection without an answer")
	}
	return err
}
