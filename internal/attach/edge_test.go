package attach

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// An answered exchange notes what it was given.
type answered struct{ responses []*exchange.Response }

func (a *answered) Inform(*exchange.Response) error {
	return errors.New("nothing is to be said before the answer")
}

func (a *answered) Respond(r *exchange.Response) error {
	a.responses = append(a.responses, r)
	return nil
}

// exchangeOf is the exchange of a request.
func exchangeOf(t *testing.T, text string) (*exchange.Exchange, *answered) {
	t.Helper()
	head, err := readHead(&scripted{data: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	a := new(answered)
	return &exchange.Exchange{Request: *head, Responder: a, ID: []byte("event")}, a
}

// asked is a connection that must only be asked who it is.
type asked struct {
	net.Conn
	remote net.Addr
}

func (a asked) RemoteAddr() net.Addr { return a.remote }

func TestAsk_AnswersARefusalAndNotesIt(t *testing.T) {
	room := newRoom(t, "127.0.0.1", Options{}, anonymous)
	x, a := exchangeOf(t, request())
	if attach := room.Ask(x, asked{remote: room.remote}, false); attach != nil {
		t.Fatal("on a listener for clients somebody is let in who shows nothing")
	}
	if len(a.responses) != 1 || a.responses[0].Status != 401 {
		t.Fatalf("it is answered %d times", len(a.responses))
	}
	if challenge, _ := a.responses[0].Header.Lookup("WWW-Authenticate"); string(challenge) != "Bearer" {
		t.Errorf("the challenge is %q", challenge)
	}
	if f := x.Outcome.Failure; f == nil || f.Code.Name != CodeUnauthorized || f.Code.Status != 401 {
		t.Errorf("what is noted is %v", f)
	}
	if x.Responder != exchange.Responder(a) {
		t.Error("the exchange has another responder than before")
	}
}

func TestAsk_RefusesWhatIsAheadOfItsAnswer(t *testing.T) {
	room := newRoom(t, "192.0.2.1", Options{}, Rules{Tokens: []Token{{"alpha", []string{"*"}}}})
	for _, ahead := range []bool{true, false} {
		x, a := exchangeOf(t, request("Authorization: Bearer alpha"))
		attach := room.Ask(x, asked{remote: room.remote}, ahead)
		if ahead != (attach == nil) || ahead != (len(a.responses) == 1 && a.responses[0].Status == 400) {
			t.Errorf("with bytes ahead: %t, it is let in: %t, and answered %d times", ahead, attach != nil, len(a.responses))
		}
	}
}

// A refusal uses the row of the list of errors that has its name, so that it is
// counted by it.
func TestRefusal_IsOfTheListOfErrors(t *testing.T) {
	r := &Refusal{Status: 405, Code: exchange.CodeMethodNotAllowed.Name, Allow: "GET", RetryAfter: 7, Detail: "d"}
	if f := r.failure(); f.Code != exchange.CodeMethodNotAllowed || f.Allow != "GET" || f.RetryAfter != 7 || f.Detail != "d" {
		t.Errorf("it has become %+v", f)
	}
	other := &Refusal{Status: 418, Code: exchange.CodeMethodNotAllowed.Name}
	if f := other.failure(); f.Code == exchange.CodeMethodNotAllowed || f.Code.Status != 418 {
		t.Errorf("a refusal with another status has become %+v", f.Code)
	}
}

// What is not in the list is not counted by its name.
func TestRefusal_IsCountedWhateverItIs(t *testing.T) {
	for _, r := range []*Refusal{
		badAttach("d"), unauthorized("d"), forbidden("d"), draining(), InstanceConflict("d"),
		malformed(exchange.Fail(exchange.CodeHeaderTooLarge, "", nil)),
		Request{Head: &exchange.Request{}}.check(),
		Request{Head: &exchange.Request{Path: []byte(Path), Method: exchange.MethodPost}}.check(),
	} {
		if !slices.Contains(exchange.Codes(), r.failure().Code) {
			t.Errorf("%d %s is not in the list of errors", r.Status, r.Code)
		}
	}
}

// securePair is a connection over TLS on which rh2 was agreed, over a pipe.
func securePair(t *testing.T) (router, worker *tls.Conn) {
	t.Helper()
	issuer := newAuthority(t)
	ours, theirs := net.Pipe()
	router = tls.Server(ours, &tls.Config{Certificates: []tls.Certificate{issuer.issue(t, "router.example.com")}, NextProtos: []string{"rh2"}, SessionTicketsDisabled: true})
	worker = tls.Client(theirs, &tls.Config{RootCAs: issuer.roots, ServerName: "router.example.com", NextProtos: []string{"rh2"}})
	shaken := make(chan error, 1)
	go func() { shaken <- worker.Handshake() }()
	if err := router.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-shaken; err != nil {
		t.Fatal(err)
	}
	return router, worker
}

func TestReverse_EndsAfterTheTimeOfAHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		room := newRoom(t, "192.0.2.1", Options{Timeout: time.Hour}, workers)
		router, worker := securePair(t)
		start := time.Now()
		room.Reverse(router)
		if a := <-room.announced; !a.Pending {
			t.Error("the worker is taken for somebody")
		}
		if _, err := worker.Read(make([]byte, 1)); err == nil || time.Since(start) != time.Hour {
			t.Errorf("a connection that nobody identifies ends after %v with %v", time.Since(start), err)
		}
		synctest.Wait()
		if n := room.underWay(); n != 0 {
			t.Errorf("%d handshakes are under way", n)
		}
	})
}

// Where every place is taken by handshakes that have been given up and have not
// ended yet, there is no waiting: who comes is closed.
func TestReverse_WaitsForNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		admitting := make(chan struct{})
		o := Options{Handshakes: 1, Admit: func(Identity) *Refusal { <-admitting; return nil }}
		room := newRoom(t, "127.0.0.1", o, anonymous)
		first := room.dial(t)
		go func() { _, _ = io.WriteString(first, request()) }()
		synctest.Wait() // it is being admitted, and cannot end before that
		router, worker := securePair(t)
		room.Reverse(router)
		if _, err := worker.Read(make([]byte, 1)); err == nil || len(room.announced) > 0 {
			t.Errorf("there is no place, and the connection reads %v", err)
		}
		close(admitting)
		synctest.Wait()
		router, worker = securePair(t)
		room.Reverse(router)
		if a := <-room.announced; !a.Pending {
			t.Error("with a place free again, no worker is taken")
		}
		_ = worker.NetConn().Close()
	})
}

func TestReverse_TakesNobodyOnceTheDoorIsClosed(t *testing.T) {
	room := newRoom(t, "192.0.2.1", Options{}, workers)
	room.Door.Close()
	router, worker := securePair(t)
	room.Reverse(router)
	if _, err := worker.Read(make([]byte, 1)); err == nil || len(room.announced) > 0 {
		t.Errorf("the connection reads %v", err)
	}
}

func TestClose_WaitsForWhatCameInElsewhere(t *testing.T) {
	for what, come := range map[string]func(*testing.T, *Door) net.Conn{
		"by an upgrade": func(t *testing.T, d *Door) net.Conn {
			x, _ := exchangeOf(t, request("Authorization: Bearer alpha"))
			ours, theirs := net.Pipe()
			go d.Ask(x, asked{remote: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}}, false)(ours)
			return theirs
		},
		"by ALPN": func(t *testing.T, d *Door) net.Conn {
			router, worker := securePair(t)
			go d.Reverse(router)
			return worker.NetConn()
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			hold := make(chan struct{})
			announce := func(a Attached) error {
				<-hold
				return a.Conn.Close()
			}
			d, err := NewDoor(Options{Announce: announce}, Rules{Tokens: []Token{{"alpha", []string{"*"}}}})
			if err != nil {
				t.Fatal(err)
			}
			theirs := come(t, d)
			synctest.Wait()
			closed := make(chan struct{})
			go func() { d.Close(); close(closed) }()
			if _, err := theirs.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
				t.Errorf("%s: the connection reads %v, not its end", what, err)
			}
			synctest.Wait()
			select {
			case <-closed:
				t.Errorf("%s: Close does not wait for Announce", what)
			default:
			}
			close(hold)
			<-closed
		})
	}
}

func TestAttach_ClosesWhatComesTooLate(t *testing.T) {
	room := newRoom(t, "192.0.2.1", Options{}, Rules{Tokens: []Token{{"alpha", []string{"*"}}}})
	x, _ := exchangeOf(t, request("Authorization: Bearer alpha"))
	attach := room.Ask(x, asked{remote: room.remote}, false)
	room.Door.Close()
	ours, theirs := net.Pipe()
	attach(asked{ours, room.remote})
	if _, err := theirs.Read(make([]byte, 1)); !errors.Is(err, io.EOF) || len(room.announced) > 0 {
		t.Errorf("the connection reads %v, not its end", err)
	}
}
