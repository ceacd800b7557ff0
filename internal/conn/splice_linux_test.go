package conn

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
)

// A relay is two connections, as the proxy has them for one exchange.
type relay struct {
	from, to  Conn
	sender    net.Conn // writes what from reads
	receiver  net.Conn // reads what is written to to
	fromOwner *owner
	toOwner   *owner
}

func newRelay(t *testing.T, from, to wiring) *relay {
	t.Helper()
	r := new(relay)
	r.from, r.sender, r.fromOwner = from.open(t)
	r.to, r.receiver, r.toOwner = to.open(t)
	return r
}

// carry splices n bytes of what the sender writes and returns what arrived.
func (r *relay) carry(t *testing.T, sent []byte, n int64) (got []byte, moved int64, err error) {
	t.Helper()
	writing := start(func() error {
		_, err := r.sender.Write(sent)
		if n < 0 {
			err = errors.Join(err, r.sender.(interface{ CloseWrite() error }).CloseWrite())
		}
		return err
	})
	reading := start(func() (err error) {
		got, err = io.ReadAll(io.LimitReader(r.receiver, int64(len(sent))))
		return err
	})
	moved, handled, err := Splice(r.to, r.from, n, SpliceLimits{})
	if !handled {
		t.Fatal("two plain sockets were not spliced")
	}
	if err := errors.Join(soon(t, "the sender is done", writing), soon(t, "the receiver is done", reading)); err != nil {
		t.Fatal(err)
	}
	return got, moved, err
}

func TestSplice_MovesEverySizeUnchanged(t *testing.T) {
	sizes := []int{1, 4095, 4096, 4097, 64 << 10, pipeSize - 1, pipeSize, pipeSize + 1, 3*pipeSize + 7, 4 << 20}
	for _, ends := range [][2]wiring{{wirings[0], wirings[0]}, {wirings[0], wirings[1]}, {wirings[1], wirings[0]}} {
		r := newRelay(t, ends[0], ends[1])
		for _, size := range sizes {
			sent := random(size)
			got, moved, err := r.carry(t, sent, int64(size))
			if err != nil || moved != int64(size) || !bytes.Equal(got, sent) {
				t.Errorf("%s to %s: %d of %d bytes moved, %v; unchanged: %t", ends[0].name, ends[1].name, moved, size, err, bytes.Equal(got, sent))
			}
		}
	}
}

func TestSplice_MovesUntilTheEnd(t *testing.T) {
	r := newRelay(t, wirings[0], wirings[0])
	sent := random(pipeSize + 99)
	got, moved, err := r.carry(t, sent, -1)
	if err != nil || moved != int64(len(sent)) || !bytes.Equal(got, sent) {
		t.Errorf("%d of %d bytes moved until the end, %v", moved, len(sent), err)
	}
}

func TestSplice_LeavesAloneWhatFollows(t *testing.T) {
	r := newRelay(t, wirings[0], wirings[0])
	<-write(t, r.sender, "contentnext")
	if moved, _, err := Splice(r.to, r.from, 7, SpliceLimits{}); moved != 7 || err != nil {
		t.Fatalf("%d bytes moved, %v; want 7", moved, err)
	}
	room := make([]byte, 16)
	if n, err := r.from.Read(room); err != nil || string(room[:n]) != "next" {
		t.Errorf("behind the content Read returns %q, %v", room[:n], err)
	}
}

func TestSplice_DeclinesWhatIsNoPlainSocket(t *testing.T) {
	for _, s := range wirings[2:] {
		r := newRelay(t, s, wirings[0])
		if moved, handled, err := Splice(r.to, r.from, 10, SpliceLimits{}); handled || moved != 0 || err != nil {
			t.Errorf("from a %s: %d bytes, handled %t, %v", s.name, moved, handled, err)
		}
		if moved, handled, err := Splice(r.from, r.to, 10, SpliceLimits{}); handled || moved != 0 || err != nil {
			t.Errorf("to a %s: %d bytes, handled %t, %v", s.name, moved, handled, err)
		}
	}
}

func TestSplice_TellsThatTheSourceEndsEarly(t *testing.T) {
	r := newRelay(t, wirings[0], wirings[0])
	<-write(t, r.sender, "only this")
	_ = r.sender.(*net.TCPConn).CloseWrite()
	moved, _, err := Splice(r.to, r.from, 1000, SpliceLimits{})
	wantReadError(t, err)
	if moved != 9 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%d bytes moved, %v; want 9 and an unexpected end", moved, err)
	}
	room := make([]byte, 16)
	if n, _ := r.receiver.Read(room); string(room[:n]) != "only this" {
		t.Errorf("the receiver has %q, want what had arrived", room[:n])
	}
}

func TestSplice_TellsThatTheSourceResets(t *testing.T) {
	r := newRelay(t, wirings[0], wirings[0])
	_ = r.sender.(*net.TCPConn).SetLinger(0)
	_ = r.sender.Close()
	_, _, err := Splice(r.to, r.from, 1000, SpliceLimits{})
	wantReadError(t, err)
}

func TestSplice_TellsThatTheSourceStalls(t *testing.T) {
	r := newRelay(t, wirings[0], wirings[0])
	splicing := start(func() error {
		_, _, err := Splice(r.to, r.from, 1000, SpliceLimits{Read: 2 * Tick})
		return err
	})
	wantReadError(t, soon(t, "splicing has given up", splicing))
	if w := r.from.Watch(); w.Ended() != TimedOut || w.EndedPhase() != PhaseBody {
		t.Errorf("the source's work ended for reason %d in phase %d, want a time-out in its content", w.Ended(), w.EndedPhase())
	}
}

func TestSplice_TellsThatTheDestinationStalls(t *testing.T) {
	r := newRelay(t, wirings[0], wirings[0])
	go func() { _, _ = r.sender.Write(make([]byte, flood)) }()
	splicing := start(func() error {
		_, _, err := Splice(r.to, r.from, flood, SpliceLimits{Write: 2 * Tick})
		return err
	})
	wantWriteError(t, soon(t, "splicing has given up", splicing))
	if w := r.to.Watch(); w.Ended() != TimedOut || w.EndedPhase() != PhaseWrite {
		t.Errorf("the destination's work ended for reason %d in phase %d, want a time-out while writing", w.Ended(), w.EndedPhase())
	}
}

func TestSplice_TellsThatTheDestinationCloses(t *testing.T) {
	r := newRelay(t, wirings[0], wirings[0])
	_ = r.receiver.(*net.TCPConn).SetLinger(0)
	_ = r.receiver.Close()
	go func() { _, _ = r.sender.Write(make([]byte, flood)) }()
	_, _, err := Splice(r.to, r.from, flood, SpliceLimits{})
	wantWriteError(t, err)
}

// TestSplice_NeverLeaksBytesIntoTheNextTransfer fails transfers with bytes still
// in their pipe, and looks at what those that follow carry.
func TestSplice_NeverLeaksBytesIntoTheNextTransfer(t *testing.T) {
	for i := range 20 {
		broken := newRelay(t, wirings[0], wirings[0])
		_ = broken.receiver.(*net.TCPConn).SetLinger(0)
		_ = broken.receiver.Close()
		go func() { _, _ = broken.sender.Write(bytes.Repeat([]byte("secret"), 1<<20)) }()
		if _, _, err := Splice(broken.to, broken.from, flood, SpliceLimits{}); err == nil {
			t.Fatal("splicing to a closed connection succeeded")
		}
		r := newRelay(t, wirings[0], wirings[0])
		sent := random(10_000 + i)
		if got, _, err := r.carry(t, sent, int64(len(sent))); err != nil || !bytes.Equal(got, sent) {
			t.Fatalf("after a failed transfer another one carries other bytes (%v)", err)
		}
	}
}

func TestSplice_CarriesBothDirectionsAtOnce(t *testing.T) {
	a, left, _ := wirings[0].open(t)
	b, right, _ := wirings[0].open(t)
	const size = 4 << 20
	var wg sync.WaitGroup
	direction := func(dst, src Conn, from, to net.Conn, seed byte) {
		sent := bytes.Repeat([]byte{seed, seed + 1, seed + 2, seed + 3}, size/4)
		wg.Go(func() { _, _ = from.Write(sent) })
		wg.Go(func() {
			if _, _, err := Splice(dst, src, size, SpliceLimits{}); err != nil {
				t.Errorf("direction %d: %v", seed, err)
			}
		})
		wg.Go(func() {
			got := make([]byte, size)
			if _, err := io.ReadFull(to, got); err != nil || !bytes.Equal(got, sent) {
				t.Errorf("direction %d carries other bytes (%v)", seed, err)
			}
		})
	}
	direction(b, a, left, right, 10)
	direction(a, b, right, left, 20)
	wg.Wait()
}

func TestSplice_KeepsAFewPipesAndLeaksNone(t *testing.T) {
	once := func() {
		ours, peer := dialTCP(t)
		c := New(ours, new(Watchdog), &owner{ended: make(chan Phase, 1)})
		other, sink := dialTCP(t)
		d := New(other, new(Watchdog), &owner{ended: make(chan Phase, 1)})
		<-write(t, peer, "content")
		_ = peer.Close()
		_, _, _ = Splice(d, c, 1000, SpliceLimits{}) // fails: it ends early
		_ = c.Close()
		_ = d.Close()
		_ = sink.Close()
	}
	once()
	before := descriptors(t)
	for range 50 {
		once()
	}
	// One more pipe may be kept: that of a transfer in another test.
	if after := descriptors(t); after > before+2 {
		t.Errorf("50 transfers later there are %d descriptors, %d before", after, before)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc here")
	}
	return len(list)
}

func wantReadError(t *testing.T, err error) {
	t.Helper()
	if _, ok := errors.AsType[*ReadError](err); !ok {
		t.Errorf("the error is %v, want one that blames the source", err)
	}
}

func wantWriteError(t *testing.T, err error) {
	t.Helper()
	if _, ok := errors.AsType[*ReadError](err); ok || err == nil {
		t.Errorf("the error is %v, want one that blames the destination", err)
	}
}
