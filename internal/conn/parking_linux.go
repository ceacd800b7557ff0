package conn

import (
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

const canPark = true

// parking is where connections wait that are idle and have no goroutine: an epoll
// descriptor of their own, which the runtime's poller watches in turn. A goroutine that
// served a request once keeps a stack of 4 KiB or more; what is parked keeps none.
//
// The zero value is ready for use. A goroutine and the descriptor are there while
// anything is parked.
type parking struct {
	mu     sync.Mutex
	poll   *os.File // nil while nothing is parked
	parked map[int32]Unparker
}

// add parks the connection on a descriptor, unless its work has been ended. An error
// is the system's.
func (p *parking) add(fd int32, w *Watch, u Unparker) (parked bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.poll == nil {
		if err := p.openLocked(); err != nil {
			return false, err
		}
	}
	defer p.closeIfEmptyLocked()
	if !w.move(PhaseIdle, PhaseParked) {
		return false, nil
	}
	if err := p.controlLocked(unix.EPOLL_CTL_ADD, fd); err != nil {
		w.move(PhaseParked, PhaseIdle)
		return false, err
	}
	p.parked[fd] = u
	return true, nil
}

// remove takes u off the descriptor; false if it is not there (any more).
func (p *parking) remove(fd int32, u Unparker) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.parked[fd] != u {
		return false
	}
	p.removeLocked(fd)
	p.closeIfEmptyLocked()
	return true
}

func (p *parking) removeLocked(fd int32) {
	delete(p.parked, fd)
	_ = p.controlLocked(unix.EPOLL_CTL_DEL, fd) // it is open: its owner has yet to be told
}

// controlLocked changes what is waited for. Bytes that are there already count: what
// has arrived since the connection was last read is not missed.
func (p *parking) controlLocked(op int, fd int32) error {
	raw, err := p.poll.SyscallConn()
	if err != nil {
		return err
	}
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP, Fd: fd}
	if failed := raw.Control(func(poll uintptr) { err = unix.EpollCtl(int(poll), op, int(fd), &event) }); failed != nil {
		return failed
	}
	return err
}

func (p *parking) openLocked() error {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	if err := unix.SetNonblock(fd, true); err != nil { // for the runtime's poller to take it
		_ = unix.Close(fd)
		return err
	}
	p.poll, p.parked = os.NewFile(uintptr(fd), "parked connections"), map[int32]Unparker{}
	go p.run(p.poll)
	return nil
}

// closeIfEmptyLocked lets the goroutine go when there is nothing to wait for.
func (p *parking) closeIfEmptyLocked() {
	if p.poll != nil && len(p.parked) == 0 {
		_ = p.poll.SetReadDeadline(longAgo)
		p.poll, p.parked = nil, nil
	}
}

// run unparks connections as something happens on them, until it is let go.
func (p *parking) run(poll *os.File) {
	defer poll.Close()
	defer p.abandon(poll)
	raw, err := poll.SyscallConn()
	if err != nil {
		return
	}
	var events [64]unix.EpollEvent
	_ = raw.Read(func(fd uintptr) (done bool) {
		for {
			n, err := unix.EpollWait(int(fd), events[:], 0)
			if err == unix.EINTR {
				continue
			}
			if err != nil || n == 0 {
				return err != nil
			}
			p.unpark(poll, events[:n])
		}
	})
}

func (p *parking) unpark(poll *os.File, events []unix.EpollEvent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range events {
		if u := p.parked[events[i].Fd]; u != nil && p.poll == poll {
			p.removeLocked(events[i].Fd)
			go u.Unpark()
		}
	}
	p.closeIfEmptyLocked()
}

// abandon unparks whatever is there, should waiting have failed: nobody is to wait for
// an event that does not come.
func (p *parking) abandon(poll *os.File) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.poll != poll {
		return
	}
	for _, u := range p.parked {
		go u.Unpark()
	}
	p.poll, p.parked = nil, nil
}
