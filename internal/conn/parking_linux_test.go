package conn

import (
	"os"
	"sync"
	"testing"
	"time"
)

// resting owns a connection whose goroutine waits for the next message, as a server
// does, and parks it when it is told to.
type resting struct {
	conn     Conn
	parked   chan bool // whether Park did
	unparked chan struct{}
}

func (r *resting) wait() {
	_ = r.conn.Loop(func() bool { return false })
	r.parked <- r.conn.Stay() && r.conn.Park(r)
}

func (r *resting) Unpark() { r.unparked <- struct{}{} }

func (r *resting) Expire(Phase) { expireParkable(r.conn, r) }

// expireParkable does what the Expirer of a connection that may be parked does.
func expireParkable(c Conn, u Unparker) {
	if c.Watch().Ended() == Parking {
		c.AbortRead()
		return
	}
	c.Abort()
	c.Unpark(u)
}

// own makes e the one who is told what the watchdog ends, and c idle, for limit.
func own(dog *Watchdog, c Conn, e Expirer, limit time.Duration) {
	dog.mu.Lock()
	c.Watch().expirer = e
	dog.mu.Unlock()
	c.MayPark()
	c.Watch().Begin(PhaseIdle, limit)
}

// parkedOver returns a connection that is parked.
func parkedOver(t *testing.T, s wiring) (r *resting, peer interface {
	Write([]byte) (int, error)
	Close() error
}, dog *Watchdog,
) {
	t.Helper()
	dog = handWound()
	c, other, _ := s.openWatched(t, dog)
	r = &resting{conn: c, parked: make(chan bool, 1), unparked: make(chan struct{}, 1)}
	own(dog, c, r, time.Hour)
	go r.wait()
	for range 30 { // a second and a bit
		dog.pass(1)
	}
	if !soon(t, "the connection parks", r.parked) {
		t.Fatal("an idle connection is not parked")
	}
	return r, other, dog
}

func TestPark_IsWokenByWhatArrives(t *testing.T) {
	for _, s := range []wiring{wirings[0], wirings[1], wirings[3]} {
		r, peer, _ := parkedOver(t, s)
		if _, err := peer.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		soon(t, "it is unparked", r.unparked)
		if !r.conn.Stay() {
			t.Fatalf("%s: a connection that was unparked has ended", s.name)
		}
		room := make([]byte, 64)
		if n, err := r.conn.Read(room); string(room[:n]) != "hello" {
			t.Errorf("%s: it reads %q, %v", s.name, room[:n], err)
		}
	}
}

func TestPark_MissesNothingThatCameBefore(t *testing.T) {
	dog := handWound()
	c, peer, _ := wirings[0].openWatched(t, dog)
	c.Watch().Begin(PhaseIdle, 0)
	write(t, peer, "hello")
	eventually(t, "it has arrived", func() bool { return !c.Alive() })
	r := &resting{conn: c, unparked: make(chan struct{}, 1)}
	if !c.Park(r) {
		t.Fatal("it is not parked")
	}
	soon(t, "it is unparked at once", r.unparked)
}

func TestPark_IsWokenByTheEnd(t *testing.T) {
	r, peer, _ := parkedOver(t, wirings[0])
	_ = peer.Close()
	soon(t, "it is unparked", r.unparked)
}

func TestPark_KeepsItsTimeLimit(t *testing.T) {
	r, _, dog := parkedOver(t, wirings[0])
	dog.pass(int(time.Hour/Tick) + 2)
	soon(t, "it is unparked", r.unparked)
	if r.conn.Stay() || r.conn.Watch().Ended() != TimedOut {
		t.Errorf("it has ended for reason %d", r.conn.Watch().Ended())
	}
}

func TestPark_CountsAsIdle(t *testing.T) {
	r, _, _ := parkedOver(t, wirings[0])
	if !r.conn.Watch().CancelIdle() {
		t.Error("a parked connection does not count as idle")
	}
	soon(t, "it is unparked", r.unparked)
}

// TestPark_IsOverBeforeItBegan: what ends the connection while its goroutine is on its
// way out has the last word.
func TestPark_IsOverBeforeItBegan(t *testing.T) {
	dog := handWound()
	c, _, _ := wirings[0].openWatched(t, dog)
	c.Watch().Begin(PhaseIdle, 0)
	if !c.Watch().end(c.Watch().word.Load(), Parking) {
		t.Fatal("it cannot begin")
	}
	if c.Watch().Begin(PhaseServe, 0) {
		t.Error("a phase begins while the connection is being parked")
	}
	if !c.Watch().Cancel() {
		t.Error("it cannot be cancelled")
	}
	if c.Stay() || c.Park(new(resting)) {
		t.Error("it goes on after it was cancelled")
	}
}

func TestPark_NeedsADescriptor(t *testing.T) {
	dog := handWound()
	c, _, _ := wirings[2].openWatched(t, dog)
	c.Watch().Begin(PhaseIdle, 0)
	c.MayPark()
	for range 50 {
		dog.pass(1)
	}
	if c.Watch().Ended() != NotEnded || c.Park(new(resting)) {
		t.Error("a pipe is parked")
	}
}

// TestPark_IsNotTriedAgainWhereItCannotBe: the system may have no room for it.
func TestPark_IsNotTriedAgainWhereItCannotBe(t *testing.T) {
	dog := handWound()
	c, _, _ := wirings[0].openWatched(t, dog)
	file, err := os.Open(os.Args[0]) // of which epoll wants to know nothing
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	c.MayPark()
	c.Watch().Begin(PhaseIdle, 0)
	raw := c.(*Raw)
	socket := raw.fd
	raw.fd = int(file.Fd())
	if c.Park(new(resting)) {
		t.Error("a connection is parked that cannot be")
	}
	raw.fd = socket
	for range 50 {
		dog.pass(1)
	}
	if c.Watch().Ended() != NotEnded || c.Watch().Phase() != PhaseIdle {
		t.Errorf("it is to be parked again: phase %d, ended for reason %d", c.Watch().Phase(), c.Watch().Ended())
	}
}

// TestPark_LosesNobody: messages come while connections are being parked all the time.
func TestPark_LosesNobody(t *testing.T) {
	for _, s := range []wiring{wirings[0], wirings[3]} {
		t.Run(s.name, func(t *testing.T) { losesNobody(t, s) })
	}
}

func losesNobody(t *testing.T, s wiring) {
	dog := handWound()
	stop := make(chan struct{})
	var sweeping, clients sync.WaitGroup
	sweeping.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				dog.pass(5)
			}
		}
	})
	var parked counter
	var serving sync.WaitGroup
	for range 8 {
		c, peer, _ := s.openWatched(t, dog)
		e := &echoing{conn: c, parked: &parked, over: serving.Done}
		own(dog, c, e, 0)
		serving.Add(1)
		go e.serve()
		clients.Go(func() {
			defer c.Watch().Cancel()
			var b [1]byte
			for i := range 300 {
				_ = peer.SetDeadline(time.Now().Add(patience))
				if _, err := peer.Write([]byte{byte(i)}); err != nil {
					t.Errorf("message %d: %v", i, err)
					return
				}
				if _, err := peer.Read(b[:]); err != nil || b[0] != byte(i) {
					t.Errorf("message %d is answered %d, %v", i, b[0], err)
					return
				}
				if i%10 == 0 {
					time.Sleep(time.Millisecond) // so that it is parked sometimes
				}
			}
		})
	}
	clients.Wait()
	serving.Wait()
	close(stop)
	sweeping.Wait()
	if parked.count() < 8 {
		t.Errorf("connections were parked %d times, which shows nothing", parked.count())
	}
}

// A counter counts.
type counter struct {
	mu sync.Mutex
	n  int
}

func (c *counter) add() {
	c.mu.Lock()
	c.n++
	c.mu.Unlock()
}

func (c *counter) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// echoing owns a connection on which every byte is a message, which it sends back.
type echoing struct {
	conn   Conn
	parked *counter
	over   func() // is called at its end
}

func (e *echoing) serve() {
	for {
		if e.conn.Loop(e.step) == nil || !e.conn.Stay() {
			e.over()
			return
		}
		if e.conn.Park(e) {
			e.parked.add()
			return
		}
	}
}

func (e *echoing) step() (done bool) {
	var b [1]byte
	for {
		n, err := e.conn.TryRead(b[:])
		if n == 0 {
			return err != ErrWouldBlock
		}
		w := e.conn.Watch()
		for !w.Begin(PhaseServe, 0) {
			if !e.conn.Stay() {
				return true
			}
		}
		if _, err := e.conn.Write(b[:]); err != nil || !w.Begin(PhaseIdle, 0) {
			return true
		}
	}
}

func (e *echoing) Unpark() {
	e.conn.Stay()
	e.serve()
}

func (e *echoing) Expire(Phase) { expireParkable(e.conn, e) }
