package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// block is the unit of large bodies. It is sent again and again for those beyond it.
const block = 1 << 20

// endpointServer plays all endpoints in one epoll loop: one process wakes less often than
// three. A GET or POST of /bytes/N is answered with N bytes once the request has arrived
// in whole; anything else, /echo say, with the head of the request itself.
type endpointServer struct {
	poll      *poller
	listeners map[int]bool
	conns     map[int]*endpointConn
	canned    map[string]*cannedAnswer
	buf       []byte
	filler    []byte
}

// cannedAnswer is an answer ready to send: the first bytes, and how many blocks' bytes
// follow.
type cannedAnswer struct {
	first []byte
	rest  int
}

type endpointConn struct {
	fd       descriptor
	head     []byte // of a request that arrived in parts
	bodyLeft int
	answer   *cannedAnswer // to send once the body is in
	out      []byte        // of the answer being sent
	rest     int
}

// runEndpoint is the subcommand `endpoint`.
func runEndpoint(args []string) error {
	flags := flag.NewFlagSet("endpoint", flag.ContinueOnError)
	ports := flags.String("ports", "", "loopback `ports` to listen on, comma-separated")
	if err := flags.Parse(args); err != nil {
		return err
	}
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(256 << 20)
	server, err := newEndpointServer(strings.Split(*ports, ","))
	if err != nil {
		return err
	}
	fmt.Println("listening")
	for {
		if err := server.turn(); err != nil {
			return err
		}
	}
}

func newEndpointServer(ports []string) (*endpointServer, error) {
	poll, err := newPoller()
	if err != nil {
		return nil, err
	}
	s := &endpointServer{
		poll: poll, listeners: map[int]bool{}, conns: map[int]*endpointConn{}, canned: map[string]*cannedAnswer{},
		buf: make([]byte, 64<<10), filler: bytes.Repeat([]byte("0123456789abcdef"), block/16),
	}
	for _, port := range ports {
		n, err := strconv.Atoi(port)
		if err != nil {
			return nil, fmt.Errorf("port %q: %w", port, err)
		}
		fd, err := listenLoopback(n)
		if err != nil {
			return nil, fmt.Errorf("listen on port %d: %w", n, err)
		}
		s.listeners[fd] = true
		if err := poll.add(fd); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func listenLoopback(port int) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return -1, err
	}
	if err := unix.Bind(fd, loopback(port)); err != nil {
		return -1, err
	}
	return fd, unix.Listen(fd, 4096)
}

func loopback(port int) *unix.SockaddrInet4 {
	return &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}
}

// turn serves what one wait brings.
func (s *endpointServer) turn() error {
	events, err := s.poll.wait(time.Second)
	if err != nil {
		return err
	}
	for _, event := range events {
		fd := int(event.Fd)
		if s.listeners[fd] {
			s.accept(fd)
			continue
		}
		if conn := s.conns[fd]; conn != nil && !s.serve(conn) {
			delete(s.conns, fd)
			_ = unix.Close(fd)
		}
	}
	return nil
}

func (s *endpointServer) accept(listener int) {
	for {
		fd, _, err := unix.Accept4(listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		if err != nil {
			return // EAGAIN, or a client that left already
		}
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		if s.poll.add(fd) != nil {
			_ = unix.Close(fd)
			continue
		}
		s.conns[fd] = &endpointConn{fd: descriptor(fd)}
	}
}

// serve goes on with a connection as far as it can, and reports whether it stays open.
func (s *endpointServer) serve(c *endpointConn) bool {
	if c.out != nil && !s.flush(c) {
		return false
	}
	for {
		n, err := c.fd.Read(s.buf)
		if err != nil {
			return errors.Is(err, errAgain)
		}
		if !s.feed(c, s.buf[:n]) {
			return false
		}
		if n < len(s.buf) { // drained: what comes later is another edge
			return true
		}
	}
}

func (s *endpointServer) feed(c *endpointConn, data []byte) bool {
	for len(data) > 0 {
		if c.bodyLeft == 0 {
			if data = s.takeHead(c, data); c.answer == nil {
				return c.head != nil // wait for the rest of the head, or give up on a bad one
			}
		}
		taken := min(c.bodyLeft, len(data))
		c.bodyLeft -= taken
		data = data[taken:]
		if c.bodyLeft == 0 && !s.send(c) {
			return false
		}
	}
	return true
}

// takeHead notes the answer if data completes a head, and returns what follows the head.
func (s *endpointServer) takeHead(c *endpointConn, data []byte) []byte {
	whole := data
	if c.head != nil {
		whole = append(c.head, data...)
	}
	end := bytes.Index(whole, []byte("\r\n\r\n"))
	if end < 0 {
		if len(whole) > 64<<10 {
			whole = nil
		}
		c.head = bytes.Clone(whole)
		return nil
	}
	head, after := whole[:end+4], whole[end+4:]
	c.head = nil
	length, err := contentLength(head)
	if err != nil {
		return nil
	}
	c.bodyLeft, c.answer = length, s.answerTo(head)
	return after
}

var errUnframed = errors.New("a body without Content-Length")

// contentLength is the length of the body of a request. All peers forward requests with
// Content-Length as such, so chunked bodies are an error worth seeing.
func contentLength(head []byte) (int, error) {
	if bytes.HasPrefix(head, []byte("GET ")) {
		return 0, nil
	}
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		if bytes.EqualFold(name, []byte("content-length")) {
			return strconv.Atoi(string(bytes.TrimSpace(value)))
		}
	}
	return 0, errUnframed
}

func (s *endpointServer) answerTo(head []byte) *cannedAnswer {
	_, target, _ := bytes.Cut(head, []byte(" "))
	target, _, _ = bytes.Cut(target, []byte(" "))
	if answer := s.canned[string(target)]; answer != nil {
		return answer
	}
	size, found := strings.CutPrefix(string(target), "/bytes/")
	n, err := strconv.Atoi(size)
	if !found || err != nil || n < 0 {
		return &cannedAnswer{first: append(answerHead(len(head)), head...)}
	}
	first := min(n, block)
	answer := &cannedAnswer{first: append(answerHead(n), s.filler[:first]...), rest: n - first}
	s.canned[string(target)] = answer
	return answer
}

// answerHead looks like a common server's; the date is fixed, it costs the peers the same.
func answerHead(length int) []byte {
	return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nServer: endpoint\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n"+
		"Content-Type: text/plain\r\nContent-Length: %d\r\n\r\n", length)
}

func (s *endpointServer) send(c *endpointConn) bool {
	if c.out != nil {
		return false // a pipelined request: no proxy here sends one
	}
	c.out, c.rest, c.answer = c.answer.first, c.answer.rest, nil
	return s.flush(c)
}

// flush sends as much as the socket takes; the rest goes with a later edge.
func (s *endpointServer) flush(c *endpointConn) bool {
	for {
		n, err := c.fd.Write(c.out)
		if err != nil {
			return errors.Is(err, errAgain)
		}
		c.out = c.out[n:]
		if len(c.out) > 0 {
			continue
		}
		if c.rest == 0 {
			c.out = nil
			return true
		}
		next := min(c.rest, block)
		c.out, c.rest = s.filler[:next], c.rest-next
	}
}
