package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"
)

// The ways in which the worker attaches: Weir's, by an upgrade of HTTP/1.1, and HAProxy's,
// in which the worker begins as a client of HTTP/2 and both sides swap roles.
const (
	byUpgrade  = "ptth"
	byReversal = "rhttp"
)

// preface is what a client of HTTP/2 begins with (RFC 9113, 3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// runWorker is the subcommand `worker`: it dials a proxy and answers, as the endpoints do,
// the requests that the proxy sends over this connection. It shares a core with the load
// generator: one blocking read, all frames in it, one write.
func runWorker(args []string) error {
	flags := flag.NewFlagSet("worker", flag.ContinueOnError)
	port := flags.Int("port", 0, "loopback `port` of the proxy to attach to")
	way := flags.String("way", byUpgrade, "how to attach: ptth or rhttp")
	if err := flags.Parse(args); err != nil {
		return err
	}
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(256 << 20)
	fd, err := dialProxy(*port)
	if err != nil {
		return err
	}
	link := &workerLink{fd: fd, buf: make([]byte, 64<<10)}
	if err := link.attach(*way); err != nil {
		return fmt.Errorf("attach: %w", err)
	}
	fmt.Println("attached")
	return link.serve(newFrameServer())
}

// dialProxy connects as soon as the proxy listens.
func dialProxy(port int) (int, error) {
	for limit := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		fd, err := connectLoopback(port)
		if err == nil {
			// The proxy may have nothing to say for as long as it likes.
			never := unix.Timeval{}
			return fd, unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &never)
		}
		if time.Now().After(limit) {
			return -1, fmt.Errorf("connect to the proxy: %w", err)
		}
	}
}

// workerLink is the worker's connection. Its descriptor blocks.
type workerLink struct {
	fd   int
	buf  []byte
	have int // bytes of buf that were read and not taken yet
}

// attach does what comes before the first frame of the proxy.
func (l *workerLink) attach(way string) error {
	switch way {
	case byReversal:
		return l.write([]byte(preface))
	case byUpgrade:
		return l.upgrade()
	default:
		return fmt.Errorf("no way to attach is called %q", way)
	}
}

func (l *workerLink) upgrade() error {
	err := l.write([]byte("GET /.well-known/weir/attach HTTP/1.1\r\nHost: bench.example\r\n" +
		"Connection: upgrade\r\nUpgrade: ptth\r\nALPN: h2\r\n\r\n"))
	if err != nil {
		return err
	}
	head, err := l.readPast([]byte("\r\n\r\n"))
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) {
		line, _, _ := bytes.Cut(head, []byte("\r\n"))
		return fmt.Errorf("the proxy answers %q", line)
	}
	begin, err := l.readPast([]byte("\r\n\r\nSM\r\n\r\n"))
	if err == nil && string(begin) != preface {
		err = errors.New("the proxy does not begin with the preface of HTTP/2")
	}
	return err
}

// readPast reads up to the end of what it is given, and returns a copy of everything
// before; what follows stays.
func (l *workerLink) readPast(end []byte) ([]byte, error) {
	for {
		if at := bytes.Index(l.buf[:l.have], end); at >= 0 {
			found := bytes.Clone(l.buf[:at+len(end)])
			l.have = copy(l.buf, l.buf[len(found):l.have])
			return found, nil
		}
		if err := l.read(); err != nil {
			return nil, err
		}
	}
}

// read adds to what was read.
func (l *workerLink) read() error {
	if l.have == len(l.buf) {
		return errors.New("a frame, or an answer to the upgrade, is longer than the buffer")
	}
	n, err := unix.Read(l.fd, l.buf[l.have:])
	switch {
	case errors.Is(err, unix.EINTR):
		return nil
	case err != nil:
		return err
	case n == 0:
		return errClosed
	}
	l.have += n
	return nil
}

func (l *workerLink) write(b []byte) error {
	for len(b) > 0 {
		n, err := unix.Write(l.fd, b)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
		b = b[max(n, 0):]
	}
	return nil
}

// serve answers requests until the proxy closes the connection.
func (l *workerLink) serve(s *frameServer) error {
	for {
		taken, err := s.take(l.buf[:l.have])
		if err != nil {
			return err
		}
		l.have = copy(l.buf, l.buf[taken:l.have])
		if err := l.write(s.out); err != nil {
			return err
		}
		s.out = s.out[:0]
		if err = l.read(); errors.Is(err, errClosed) || errors.Is(err, unix.ECONNRESET) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
