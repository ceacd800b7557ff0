package attach

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

func TestSetRules_ClosesWhatIsNoLongerAllowed(t *testing.T) {
	alpha, beta := Token{"alpha", []string{"web", "shop"}}, Token{"beta", []string{"web"}}
	room := newRoom(t, "192.0.2.1", Options{}, Rules{Tokens: []Token{alpha, beta}})
	attach := func(token, service string) net.Conn {
		c := room.dial(t)
		if a := ask(t, c, request("Authorization: Bearer "+token, "Weir-Service: "+service)); a.StatusCode != 101 {
			t.Fatalf("token %s was refused: %s", token, a.problem.Detail)
		}
		<-room.announced
		return c
	}
	web, shop, other := attach("alpha", "web"), attach("alpha", "shop"), attach("beta", "web")
	if n := len(room.Live()); n != 3 {
		t.Fatalf("%d connections are live, not 3", n)
	}
	// The places change, one service goes, and one token.
	if err := room.SetRules(Rules{Tokens: []Token{{"gamma", []string{"*"}}, {"alpha", []string{"web"}}}}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]net.Conn{"a service that is gone": shop, "a token that is gone": other} {
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("the connection of %s reads %v, not its end", name, err)
		}
	}
	live := room.Live()
	if len(live) != 1 || live[0].Identity.Service != "web" {
		t.Fatalf("live are %+v, not the one worker of web", live)
	}
	go func() { _, _ = web.Write([]byte("x")) }()
	if _, err := live[0].Conn.Read(make([]byte, 1)); err != nil {
		t.Errorf("the connection that may stay cannot be read: %v", err)
	}
	if err := room.SetRules(Rules{Tokens: []Token{{"", nil}}}); err == nil || len(room.Live()) != 1 {
		t.Errorf("rules that are wrong were taken (%v), or changed something", err)
	}
}

func TestSetRules_TellsWhoeverHasTheConnectionWhyItEnds(t *testing.T) {
	room := newRoom(t, "192.0.2.1", Options{}, Rules{Tokens: []Token{{"alpha", []string{"*"}}}})
	c := room.dial(t)
	ask(t, c, request("Authorization: Bearer alpha"))
	<-room.announced
	taken := room.Live()[0].Conn
	read := make(chan error, 1)
	go func() {
		_, err := taken.Read(make([]byte, 1))
		read <- err
	}()
	if err := room.SetRules(Rules{}); err != nil {
		t.Fatal(err)
	}
	if err := <-read; !errors.Is(err, ErrRevoked) {
		t.Errorf("who was reading is told %v, want ErrRevoked", err)
	}
	if _, err := taken.Write([]byte("x")); !errors.Is(err, ErrRevoked) {
		t.Errorf("who writes is told %v, want ErrRevoked", err)
	}
}

func TestAttach_LooksAtTheRulesOnceMore(t *testing.T) {
	room := newRoom(t, "192.0.2.1", Options{}, Rules{Tokens: []Token{{"alpha", []string{"web"}}}})
	head, err := readHead(&scripted{data: []byte(request("Authorization: Bearer alpha", "Weir-Service: web"))})
	if err != nil {
		t.Fatal(err)
	}
	id, refusal := room.Upgrade(Request{Head: head, Remote: room.remote})
	if refusal != nil {
		t.Fatal(refusal)
	}
	ours, theirs := net.Pipe()
	defer theirs.Close()
	if err := room.SetRules(Rules{}); err != nil {
		t.Fatal(err)
	}
	if err := room.Attach(id, ours); err == nil || len(room.announced) > 0 {
		t.Errorf("a worker whose token was revoked after it was let in was announced (%v)", err)
	}
	if _, err := theirs.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("its connection reads %v, not its end", err)
	}
}

func TestUpgrade_IsNeverAnonymousElsewhere(t *testing.T) {
	room := newRoom(t, "127.0.0.1", Options{}, anonymous)
	head, err := readHead(&scripted{data: []byte(request())})
	if err != nil {
		t.Fatal(err)
	}
	if id, refusal := room.Upgrade(Request{Head: head, Remote: room.remote}); refusal == nil || refusal.Status != 401 {
		t.Errorf("on a listener for everybody, nobody in particular was let in as %+v (%v)", id, refusal)
	}
}

func TestDrain_WaitsForTheLastWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		room := newRoom(t, "127.0.0.1", Options{}, anonymous)
		ask(t, room.dial(t), request())
		worker := <-room.announced
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := room.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) || len(room.Live()) != 1 {
			t.Errorf("with a worker attached, Drain returned %v with %d live", err, len(room.Live()))
		}
		time.AfterFunc(time.Hour, func() { _ = worker.Conn.Close() })
		start := time.Now()
		if err := room.Drain(context.Background()); err != nil || time.Since(start) != time.Hour {
			t.Errorf("Drain returned %v after %v, not when the worker had left, after an hour", err, time.Since(start))
		}
	})
}

func TestAnnounce_ClosesWhatIsNotWanted(t *testing.T) {
	l := newPipeListener("127.0.0.1")
	d, err := NewDoor(Options{Announce: func(Attached) error { return errors.New("no") }}, anonymous)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- d.Serve(l) }()
	c := l.dial(t)
	ask(t, c, request())
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the connection reads %v, not its end", err)
	}
	d.Close()
	<-done
	if n := len(d.Live()); n != 0 {
		t.Errorf("%d connections are live that nobody wanted", n)
	}
}
