package conn

import (
	"golang.org/x/sys/unix"
)

// peerState is what a descriptor tells about the other end.
type peerState uint8

const (
	peerPresent peerState = iota
	// peerClosed: a FIN has arrived. The peer has left, or has only closed its
	// half; HTTP does not say.
	peerClosed
	// peerReset: the connection is gone in both directions.
	peerReset
)

const leftEvents = unix.POLLRDHUP

// pollAll asks the kernel about all descriptors at once and hands over each
// answer.
func pollAll(looks []look, answer func(*look, peerState)) {
	const batch = 1024
	var fds [batch]unix.PollFd
	for len(looks) > 0 {
		n := min(len(looks), batch)
		for i := range n {
			fds[i] = unix.PollFd{Fd: looks[i].fd, Events: leftEvents}
		}
		if _, err := unix.Poll(fds[:n], 0); err == nil {
			for i := range n {
				answer(&looks[i], stateOf(fds[i].Revents))
			}
		}
		looks = looks[n:]
	}
}

func stateOf(events int16) peerState {
	switch {
	case events&(unix.POLLHUP|unix.POLLERR) != 0:
		return peerReset
	case events&unix.POLLRDHUP != 0:
		return peerClosed
	default:
		return peerPresent
	}
}

// hungUp reports whether the peer of an idle connection has closed it.
func hungUp(fd int) bool {
	fds := [1]unix.PollFd{{Fd: int32(fd), Events: leftEvents}}
	n, err := unix.Poll(fds[:], 0)
	return err == nil && n > 0 && stateOf(fds[0].Revents) != peerPresent
}

// unread reports whether data has arrived that nobody has read.
func unread(fd int) bool {
	var b [1]byte
	n, _, err := unix.Recvfrom(fd, b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
	return err == nil && n > 0
}

// closedWithRequest tells a half-close from a departure. A client that closes
// its half on purpose ("printf … | nc -N") does so right behind its request; one
// that gives up closes later. The kernel remembers when the last data and when
// the last segment of any kind arrived (milliseconds ago): as long as nothing was
// sent since the request that the peer could have acknowledged, only a FIN is an
// arrival without data.
func closedWithRequest(fd int) bool {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return true // a Unix socket: in doubt, somebody is waiting
	}
	if info.Data_segs_out > 0 && info.Last_data_sent <= info.Last_data_recv {
		return true // part of an answer, or one to a request before: in doubt
	}
	const together = 20 // ms
	return info.Last_data_recv <= info.Last_ack_recv+together
}
