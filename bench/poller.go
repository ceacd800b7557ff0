package main

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// poller is an edge-triggered epoll instance. The load generator and the endpoints share
// one core, so both are a single goroutine around a poller: no scheduler, no netpoll, two
// system calls a request.
type poller struct {
	fd     int
	events [256]unix.EpollEvent
}

func newPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create an epoll instance: %w", err)
	}
	return &poller{fd: fd}, nil
}

// add watches fd for everything, once: edge triggering makes a change of interest, and its
// system call, unnecessary.
func (p *poller) add(fd int) error {
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET, Fd: int32(fd)}
	return unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, fd, &event)
}

// wait returns the events that are due, at the latest after timeout. It takes nanoseconds
// (epoll_pwait2), because a constant rate of 15,000 requests/s is one every 66 µs, and it
// keeps the Go scheduler out (RawSyscall): nothing else runs in these processes.
func (p *poller) wait(timeout time.Duration) ([]unix.EpollEvent, error) {
	limit := unix.NsecToTimespec(int64(max(timeout, 0)))
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT2, uintptr(p.fd),
		uintptr(unsafe.Pointer(&p.events[0])), uintptr(len(p.events)),
		uintptr(unsafe.Pointer(&limit)), 0, 0)
	switch {
	case errno == unix.EINTR: // the runtime's preemption signal
		return nil, nil
	case errno != 0:
		return nil, fmt.Errorf("wait for events: %w", errno)
	}
	return p.events[:n], nil
}

// errAgain says that a descriptor has nothing to read or no room to write. It is a
// temporary net.Error, which crypto/tls does not make sticky: a tls.Conn over a
// non-blocking descriptor goes on where it stopped.
var errAgain = againError{}

type againError struct{}

func (againError) Error() string   { return "try again" }
func (againError) Timeout() bool   { return true }
func (againError) Temporary() bool { return true }

var errClosed = errors.New("closed by the other side")

// descriptor reads and writes a socket by raw system calls.
type descriptor int

func (d descriptor) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(d), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	switch {
	case errno == unix.EAGAIN, errno == unix.EINTR:
		return 0, errAgain
	case errno != 0:
		return 0, errno
	case n == 0:
		return 0, errClosed
	}
	return int(n), nil
}

func (d descriptor) Write(b []byte) (int, error) {
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(d), uintptr(unsafe.Pointer(unsafe.SliceData(b))),
		uintptr(len(b)), unix.MSG_NOSIGNAL, 0, 0)
	switch {
	case errno == unix.EAGAIN, errno == unix.EINTR:
		return 0, errAgain
	case errno != 0:
		return 0, errno
	}
	return int(n), nil
}

// discard takes up to n bytes off a TCP socket without copying them (MSG_TRUNC, tcp(7)).
func (d descriptor) discard(n int) (int, error) {
	got, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(d), 0, uintptr(n), unix.MSG_TRUNC, 0, 0)
	switch {
	case errno == unix.EAGAIN, errno == unix.EINTR:
		return 0, errAgain
	case errno != 0:
		return 0, errno
	case got == 0:
		return 0, errClosed
	}
	return int(got), nil
}
