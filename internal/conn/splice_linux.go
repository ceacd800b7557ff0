package conn

import (
	"io"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	pipeSize   = 256 << 10
	spareKept  = 32 // pipes kept for the next transfer
	spliceMode = unix.SPLICE_F_MOVE | unix.SPLICE_F_NONBLOCK
)

// Splice moves n bytes from src to dst inside the kernel, through a pipe; n < 0
// is until src ends. It reports handled = false, having moved nothing, if one of
// them is not a plain socket. An error of src comes as *ReadError.
//
// It must not be called inside src's Loop; inside dst's it may: that one reads,
// this one writes.
func Splice(dst, src Conn, n int64, lim SpliceLimits) (moved int64, handled bool, err error) {
	d, ok1 := dst.(*Raw)
	s, ok2 := src.(*Raw)
	if !ok1 || !ok2 {
		return 0, false, nil
	}
	p, err := getPipe()
	if err != nil {
		return 0, false, nil // out of descriptors: copying still works
	}
	t := transfer{dst: d, src: s, pipe: p, left: n, lim: lim}
	err = t.run()
	p.put()
	return t.moved, true, err
}

// A transfer is one Splice under way.
type transfer struct {
	dst, src *Raw
	pipe     *pipe
	left     int64 // < 0 is until the end
	moved    int64
	lim      SpliceLimits
	n        int
	err      error
}

func (t *transfer) run() error {
	fill := func(uintptr) bool { return t.splice(t.src.fd, t.pipe.w, t.chunk()) }
	drain := func(uintptr) bool { return t.splice(t.pipe.r, t.dst.fd, t.pipe.held) }
	end := t.src.watch.after(t.lim.Total)
	for t.left != 0 {
		if !t.src.watch.beginBefore(PhaseBody, t.lim.Read, end) {
			return &ReadError{ErrEnded}
		}
		if err := t.wait(t.src.raw.Read, fill); err != nil {
			return &ReadError{err}
		}
		if t.n == 0 {
			return t.ended()
		}
		t.pipe.held = t.n
		if t.left > 0 {
			t.left -= int64(t.n)
		}
		for t.pipe.held > 0 {
			if err := t.drain(drain); err != nil {
				return err
			}
		}
	}
	return nil
}

// ended is called at the end of src.
func (t *transfer) ended() error {
	if t.left > 0 {
		return &ReadError{io.ErrUnexpectedEOF}
	}
	return nil
}

// drain moves what the pipe holds to dst, or part of it.
func (t *transfer) drain(drain func(uintptr) bool) error {
	// The common case needs no waiting, so the poller is asked second.
	if !drain(0) {
		was := t.dst.watch.enter(PhaseWrite, t.lim.Write)
		err := t.wait(t.dst.raw.Write, drain)
		t.dst.watch.back(PhaseWrite, was)
		if err != nil {
			return err
		}
	}
	if t.err != nil {
		return t.err
	}
	t.pipe.held -= t.n
	t.moved += int64(t.n)
	return nil
}

func (t *transfer) wait(op func(func(uintptr) bool) error, f func(uintptr) bool) error {
	if err := op(f); err != nil {
		return err
	}
	return t.err
}

func (t *transfer) chunk() int {
	if t.left < 0 || t.left > pipeSize {
		return pipeSize
	}
	return int(t.left)
}

// splice is one call; false is to wait.
func (t *transfer) splice(from, to, n int) (done bool) {
	for {
		moved, err := unix.Splice(from, nil, to, nil, n, spliceMode)
		if err == syscall.EINTR {
			continue
		}
		t.n, t.err = int(max(moved, 0)), err
		return err != syscall.EAGAIN
	}
}

// A pipe is where bytes rest between two sockets.
type pipe struct {
	r, w int
	held int // bytes in it
}

// spare are empty pipes for the next transfer: making one costs four calls.
var spare struct {
	sync.Mutex
	pipes []*pipe
}

func getPipe() (*pipe, error) {
	spare.Lock()
	if n := len(spare.pipes); n > 0 {
		p := spare.pipes[n-1]
		spare.pipes = spare.pipes[:n-1]
		spare.Unlock()
		return p, nil
	}
	spare.Unlock()
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil, err
	}
	// Refused beyond a quota of the user; the default of 64 KiB does as well.
	_, _ = unix.FcntlInt(uintptr(fds[1]), unix.F_SETPIPE_SZ, pipeSize)
	return &pipe{r: fds[0], w: fds[1]}, nil
}

// put keeps the pipe for the next transfer. One with bytes left in it, from a
// transfer that failed, is closed: they are somebody else's.
func (p *pipe) put() {
	if p.held == 0 {
		spare.Lock()
		if len(spare.pipes) < spareKept {
			spare.pipes = append(spare.pipes, p)
			spare.Unlock()
			return
		}
		spare.Unlock()
	}
	_ = unix.Close(p.r)
	_ = unix.Close(p.w)
}
