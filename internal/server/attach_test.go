package server

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirproxy/weir/internal/attach"
	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/exchange"
)

// overBoth runs test in clear text and over TLS.
func overBoth(t *testing.T, s step, test func(t *testing.T, d *doorstep)) {
	for _, secure := range []bool{false, true} {
		t.Run(map[bool]string{false: "clear text", true: "TLS"}[secure], func(t *testing.T) {
			s.tls = secure
			test(t, newDoorstep(t, s))
		})
	}
}

func TestAttach_StandsBesideOrdinaryTraffic(t *testing.T) {
	overBoth(t, step{}, func(t *testing.T, d *doorstep) {
		client := d.dial(t, "http/1.1")
		for range 3 {
			if a := client.ask(t, ordinary); a.StatusCode != 204 {
				t.Errorf("an ordinary request is answered %d", a.StatusCode)
			}
			worker, router := d.attach(t)
			if id := router.Identity; router.Kind != attach.Upgraded || id.Service != "web" || id.Credential != "tokens[0]" {
				t.Errorf("the worker is announced as %v, %+v", router.Kind, id)
			}
			wantCarries(t, worker, router.Conn)
		}
		if n := len(d.door.Live()); n != 3 {
			t.Errorf("%d workers are attached, not 3", n)
		}
	})
}

// On one connection, a worker may have been a client before.
func TestAttach_MayFollowOtherRequests(t *testing.T) {
	overBoth(t, step{}, func(t *testing.T, d *doorstep) {
		c := d.dial(t, "http/1.1")
		for _, r := range []struct {
			text   string
			status int
		}{{ordinary, 204}, {asks(), 401}, {ordinary, 204}, {asksWell(), 101}} {
			if a := c.ask(t, r.text); a.StatusCode != r.status {
				t.Fatalf("%q is answered %d, not %d", r.text, a.StatusCode, r.status)
			}
		}
		wantCarries(t, c, d.next(t).Conn)
	})
}

// The pieces arrive as reads of their own, or together; nothing may depend on it.
func TestAttach_TakesTheRequestInPieces(t *testing.T) {
	overBoth(t, step{}, func(t *testing.T, d *doorstep) {
		worker := d.dial(t, "http/1.1")
		for piece := range strings.SplitAfterSeq(asksWell(), "e") {
			if _, err := io.WriteString(worker.Conn, piece); err != nil {
				t.Fatal(err)
			}
		}
		if a := worker.answer(t); a.StatusCode != 101 {
			t.Fatalf("it is answered %d", a.StatusCode)
		}
		wantCarries(t, worker, d.next(t).Conn)
	})
}

// The answer is the door's, byte for byte.
func TestAttach_AnswersAsTheDoorDoes(t *testing.T) {
	d := newDoorstep(t, step{door: func(o *attach.Options) {
		o.Routers = func() []string { return []string{"other.example.com:7000"} }
	}})
	worker := d.dial(t)
	if _, err := io.WriteString(worker.Conn, asksWell()); err != nil {
		t.Fatal(err)
	}
	want := d.door.AppendAccept(nil)
	got := make([]byte, len(want))
	if _, err := io.ReadFull(worker, got); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the answer is %q (%v), not %q", got, err, want)
	}
	if !bytes.Contains(want, []byte("Weir-Routers: other.example.com:7000\r\n")) {
		t.Errorf("the door answers %q", want)
	}
}

func TestAttach_IsSeenLikeOtherExchanges(t *testing.T) {
	d := newDoorstep(t, step{})
	d.attach(t)
	s := receive(t, "the exchange is observed", d.seen)
	if s.status != 101 || s.path != attach.Path || s.failure != "" || s.id == "" || s.handled {
		t.Errorf("what is observed is %+v", s)
	}
}

// refusals are requests that do not attach, and what is answered.
var refusals = []struct {
	what, text string
	status     int
	code       string
	field      string // of the answer
	closes     bool
}{
	{"nothing is shown", asks("Weir-Service: web"), 401, attach.CodeUnauthorized, "Www-Authenticate: Bearer", false},
	{"the token is unknown", asks("Authorization: Bearer beta"), 401, attach.CodeUnauthorized, "Www-Authenticate: Bearer", false},
	{"the service is another", asks("Authorization: Bearer alpha", "Weir-Service: shop"), 403, attach.CodeServiceForbidden, "", false},
	{"a name is none", asks("Authorization: Bearer alpha", "Weir-Service: a/b"), 400, attach.CodeBadAttach, "", false},
	{"it is no GET", strings.Replace(asksWell(), "GET", "PUT", 1), 405, exchange.CodeMethodNotAllowed.Name, "Allow: GET", false},
	{"it is HTTP/1.0", strings.Replace(asksWell(), "HTTP/1.1", "HTTP/1.0", 1), 400, attach.CodeBadAttach, "", true},
	{"it has a query", strings.Replace(asksWell(), attach.Path, attach.Path+"?a=b", 1), 400, attach.CodeBadAttach, "", false},
	{"it has content", asks("Content-Length: 1") + "x", 400, attach.CodeBadAttach, "", false},
	{"content is to come", asks("Content-Length: 1"), 400, attach.CodeBadAttach, "", true},
	{"chunks are to come", asks("Transfer-Encoding: chunked"), 400, attach.CodeBadAttach, "", true},
	{"bytes follow it", asksWell() + "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, attach.CodeBadAttach, "", true},
	{"a request follows it", asksWell() + ordinary, 400, attach.CodeBadAttach, "", true},
	{"an empty line follows it", asksWell() + "\r\n", 400, attach.CodeBadAttach, "", true},
	{"Connection does not list it", strings.Replace(asksWell(), "Connection: Upgrade", "Connection: keep-alive", 1), 400, attach.CodeBadAttach, "", false},
	{"Upgrade lists others", strings.Replace(asksWell(), "Upgrade: PTTH", "Upgrade: websocket, ptth", 1), 400, attach.CodeBadAttach, "", false},
	{"Upgrade is repeated", asks("Authorization: Bearer alpha", "Upgrade: ptth"), 400, attach.CodeBadAttach, "", false},
	{"ALPN is another", strings.Replace(asksWell(), "ALPN: h2", "ALPN: h3", 1), 400, attach.CodeBadAttach, "", false},
	{"ALPN is missing", strings.Replace(asksWell(), "ALPN: h2\r\n", "", 1), 400, attach.CodeBadAttach, "", false},
}

func TestAttach_IsRefused(t *testing.T) {
	overBoth(t, step{}, func(t *testing.T, d *doorstep) {
		for _, c := range refusals {
			t.Run(c.what, func(t *testing.T) {
				client := d.dial(t, "http/1.1")
				a := client.ask(t, c.text)
				if a.StatusCode != c.status || a.problem.Error != c.code || a.problem.Status != c.status || a.problem.Detail == "" {
					t.Errorf("the answer is %d, %+v; want %d and %s", a.StatusCode, a.problem, c.status, c.code)
				}
				if name, value, _ := strings.Cut(c.field, ": "); a.Header.Get(name) != value {
					t.Errorf("the field %s reads %q, want %q", name, a.Header.Get(name), value)
				}
				s := receive(t, "the exchange is observed", d.seen)
				if s.status != c.status || s.failure != c.code || s.id != a.problem.EventID || s.path != attach.Path || s.handled {
					t.Errorf("it is observed as %+v; the answer is %+v", s, a.problem)
				}
				if a.Close != c.closes {
					t.Errorf("the answer says that the connection closes: %t, want %t", a.Close, c.closes)
				}
				if c.closes && !client.isOver() {
					t.Error("the connection goes on")
				}
				if !c.closes && client.ask(t, ordinary).StatusCode != 204 {
					t.Error("after it the connection carries no other request")
				} else if !c.closes {
					receive(t, "the exchange is observed", d.seen)
				}
			})
		}
		if len(d.announced) > 0 {
			t.Errorf("%d of these were attached", len(d.announced))
		}
	})
}

func TestAttach_IsRefusedByWhoeverElseHasASay(t *testing.T) {
	for _, c := range []struct {
		code   string
		status int
		retry  string
		door   func(*attach.Options)
	}{
		{attach.CodeDraining, 503, "1", func(o *attach.Options) { o.Draining = func() bool { return true } }},
		{attach.CodeInstanceConflict, 409, "", func(o *attach.Options) {
			o.Admit = func(attach.Identity) *attach.Refusal { return attach.InstanceConflict("another has it") }
		}},
	} {
		d := newDoorstep(t, step{door: c.door})
		a := d.dial(t).ask(t, asksWell())
		if a.StatusCode != c.status || a.problem.Error != c.code || a.Header.Get("Retry-After") != c.retry {
			t.Errorf("the answer is %d, %+v, Retry-After %q; want %d and %s", a.StatusCode, a.problem, a.Header.Get("Retry-After"), c.status, c.code)
		}
	}
}

// What the door logs and what the access log has are of the same id.
func TestAttach_LogsARefusalByTheIDOfItsExchange(t *testing.T) {
	var log strings.Builder
	d := newDoorstep(t, step{door: logTo(&log)})
	a := d.dial(t).ask(t, asks())
	if err := d.Shutdown(t.Context()); err != nil { // now nobody logs any more
		t.Fatal(err)
	}
	if text := log.String(); a.problem.EventID == "" || !strings.Contains(text, "event_id="+a.problem.EventID) {
		t.Errorf("the answer has the id %q, and the log says %q", a.problem.EventID, text)
	}
}

// A handler gets these, and they switch to nothing.
func TestAttach_LeavesOtherRequestsAlone(t *testing.T) {
	path := func(other string) string { return strings.Replace(asksWell(), attach.Path, other, 1) }
	for what, text := range map[string]string{
		"another path":          path("/attach"),
		"a longer path":         path(attach.Path + "/"),
		"an encoded path":       path("/.well-known/weir/%61ttach"),
		"a path in upper case":  path(strings.ToUpper(attach.Path)),
		"dot segments":          path("/x/.." + attach.Path),
		"no Upgrade":            strings.Replace(asksWell(), "Upgrade: PTTH\r\n", "", 1),
		"another Upgrade":       strings.Replace(asksWell(), "Upgrade: PTTH", "Upgrade: ptth2", 1),
		"a version of Upgrade":  strings.Replace(asksWell(), "Upgrade: PTTH", "Upgrade: ptth/1", 1),
		"a field of its letter": strings.Replace(asksWell(), "Upgrade: PTTH", "X-Upgrade: ptth", 1),
	} {
		d := newDoorstep(t, step{})
		a := d.dial(t).ask(t, text)
		s := receive(t, "the exchange is observed", d.seen)
		if a.StatusCode != 204 || !s.handled || s.upgrade != "" {
			t.Errorf("with %s it is answered %d, and observed as %+v", what, a.StatusCode, s)
		}
	}
}

func TestAttach_IsAnOrdinaryRequestWhereNobodyAttaches(t *testing.T) {
	overBoth(t, step{listener: func(l *Listener) { l.Attach = nil }}, func(t *testing.T, d *doorstep) {
		a := d.dial(t, "http/1.1", "rh2").ask(t, asksWell())
		s := receive(t, "the exchange is observed", d.seen)
		if a.StatusCode != 204 || !s.handled || s.upgrade != "" {
			t.Errorf("it is answered %d, and observed as %+v", a.StatusCode, s)
		}
	})
}

func TestAttach_CountsNoLongerAsAClient(t *testing.T) {
	overBoth(t, step{server: func(o *Options) { o.MaxConnections = 1 }}, func(t *testing.T, d *doorstep) {
		for i := range 5 { // each needs the one place for clients
			d.attach(t)
			eventually(t, "the place is free again", func() bool { return d.open() == 0 })
			if n := len(d.door.Live()); n != i+1 {
				t.Errorf("%d workers are attached, not %d", n, i+1)
			}
			if n := d.watched(); n != 0 {
				t.Errorf("Shutdown would end %d connections that are not the server's", n)
			}
		}
		if a := d.dial(t, "http/1.1").ask(t, ordinary); a.StatusCode != 204 {
			t.Errorf("with workers attached and one place for clients, a client is answered %d", a.StatusCode)
		}
	})
}

// A tally is told of connections, as the metrics are.
type tally struct{ opened, closed chan struct{} }

func (c tally) ConnectionOpened() { c.opened <- struct{}{} }
func (c tally) ConnectionClosed() { c.closed <- struct{}{} }

func TestAttach_EndsTheClientInTheMetrics(t *testing.T) {
	count := tally{make(chan struct{}, 8), make(chan struct{}, 8)}
	d := newDoorstep(t, step{server: func(o *Options) { o.Connections = count }})
	_, router := d.attach(t)
	receive(t, "the connection is opened", count.opened)
	receive(t, "the connection is closed", count.closed)
	_ = router.Conn.Close()
	eventually(t, "the worker is gone", func() bool { return len(d.door.Live()) == 0 })
	if len(count.opened)+len(count.closed) > 0 {
		t.Error("a connection is counted twice")
	}
}

func TestShutdown_LeavesAttachedConnectionsAlone(t *testing.T) {
	for _, c := range []struct {
		what  string
		limit time.Duration
	}{{"with time", patience}, {"at once", 0}} {
		t.Run(c.what, func(t *testing.T) {
			overBoth(t, step{}, func(t *testing.T, d *doorstep) {
				worker, router := d.attach(t)
				eventually(t, "the server has let it go", func() bool { return d.open() == 0 })
				ctx, cancel := context.WithTimeout(t.Context(), c.limit)
				defer cancel()
				if err := d.Shutdown(ctx); err != nil {
					t.Errorf("Shutdown waits for a worker: %v", err)
				}
				wantCarries(t, worker, router.Conn)
				d.door.Close()
				if !worker.isOver() {
					t.Error("closing the door does not close the connection")
				}
			})
		})
	}
}

// While workers come, the server is shut down, in every manner of moments: each
// connection is closed or the door's, and nothing is left over.
func TestShutdown_LosesNoWorkerHalfway(t *testing.T) {
	const rounds, workers = 30, 8
	for round := range rounds {
		d := newDoorstep(t, step{tls: round%2 == 1})
		var all sync.WaitGroup
		begun := make(chan struct{}, workers)
		for range workers {
			all.Go(func() {
				c, err := d.tryDial("http/1.1")
				begun <- struct{}{}
				if err != nil {
					return // it is too late
				}
				defer c.Conn.Close()
				_, _ = io.WriteString(c.Conn, asksWell())
				_, _ = io.Copy(io.Discard, c) // until the server or the door closes it
			})
		}
		for range round % (workers + 1) {
			<-begun
		}
		ctx, cancel := context.WithCancel(t.Context())
		if round%3 == 0 {
			cancel()
		}
		_ = d.Shutdown(ctx)
		cancel()
		if n := d.open(); n != 0 {
			t.Errorf("after Shutdown %d connections are open", n)
		}
		d.door.Close()
		all.Wait()
		if n := len(d.door.Live()); n != 0 {
			t.Errorf("after Close %d workers are attached", n)
		}
	}
}

// No time limit of the server's holds for what is attached. The handshake of TLS
// is no different: its deadline is a phase, which is over.
func TestAttach_HasNoTimeLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options()
		o.Watchdog = new(conn.Watchdog)
		o.HeaderTimeout, o.IdleTimeout, o.WriteTimeout = time.Second, time.Second, time.Second
		o.Handler = exchange.HandlerFunc(func(*exchange.Exchange) {})
		s, m := New(o), newMemory()
		announced := make(chan attach.Attached, 1)
		door, err := attach.NewDoor(attach.Options{Announce: func(a attach.Attached) error {
			announced <- a
			return nil
		}}, tokens)
		if err != nil {
			t.Fatal(err)
		}
		var serving sync.WaitGroup
		serving.Go(func() { _ = s.Serve(m, Listener{Address: "edge", Attach: door}) })
		worker := m.dial()
		go func() { _, _ = io.WriteString(worker, asksWell()) }()
		accept := make([]byte, len(door.AppendAccept(nil)))
		if _, err := io.ReadFull(worker, accept); err != nil {
			t.Fatal(err)
		}
		router := <-announced
		written := make(chan error, 1)
		go func() {
			_, err := router.Conn.Write([]byte("x"))
			written <- err
		}()
		time.Sleep(24 * time.Hour)
		if _, err := io.ReadFull(worker, accept[:1]); err != nil || <-written != nil {
			t.Errorf("after a day the connection is not what it was: %v", err)
		}
		if err := s.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		door.Close()
		_ = worker.Close()
		serving.Wait()
		time.Sleep(2 * conn.Tick) // until the watchdog rests
	})
}

// Connections that have begun to ask and say no more keep nobody out, and cost
// nothing when they are gone.
func TestAttach_BearsAThousandHalfOpenRequests(t *testing.T) {
	const many = 1000
	d := newDoorstep(t, step{})
	before := descriptors(t)
	var open []net.Conn
	for i := range many {
		c, err := net.Dial("tcp", d.address)
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		open = append(open, c)
		text := asksWell()
		if _, err := io.WriteString(c, text[:1+i%(len(text)-1)]); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all are accepted", func() bool { return d.open() == many })
	worker, router := d.attach(t)
	wantCarries(t, worker, router.Conn)
	if a := d.dial(t).ask(t, ordinary); a.StatusCode != 204 {
		t.Errorf("beside them an ordinary request is answered %d", a.StatusCode)
	}
	for _, c := range open {
		_ = c.Close()
	}
	eventually(t, "all are gone", func() bool { return d.open() <= 1 })
	_ = router.Conn.Close()
	eventually(t, "their descriptors are closed", func() bool { return descriptors(t) <= before+4 })
}

// Who asks and never finishes is told so in the time that every request has.
func TestAttach_GivesUpWhatIsHalfOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options()
		o.Watchdog = new(conn.Watchdog)
		o.Handler = exchange.HandlerFunc(func(*exchange.Exchange) {})
		door, err := attach.NewDoor(attach.Options{Announce: func(attach.Attached) error { return nil }}, tokens)
		if err != nil {
			t.Fatal(err)
		}
		s, m := New(o), newMemory()
		var serving sync.WaitGroup
		serving.Go(func() { _ = s.Serve(m, Listener{Address: "edge", Attach: door}) })
		worker, began := m.dial(), time.Now()
		go func() { _, _ = io.WriteString(worker, strings.TrimSuffix(asksWell(), "\r\n")) }()
		text, _ := io.ReadAll(worker)
		if !bytes.HasPrefix(text, []byte("HTTP/1.1 408 ")) {
			t.Errorf("it is told %q", text)
		}
		if took := time.Since(began); took < o.HeaderTimeout || took > o.HeaderTimeout+lingerTime+3*conn.Tick {
			t.Errorf("it is given %v, and HeaderTimeout is %v", took, o.HeaderTimeout)
		}
		_ = worker.Close()
		if err := s.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		door.Close()
		serving.Wait()
		time.Sleep(2 * conn.Tick) // until the watchdog rests
	})
}

func TestAttach_LeaksNoDescriptors(t *testing.T) {
	overBoth(t, step{}, func(t *testing.T, d *doorstep) {
		once := func(fate int) {
			worker, err := d.tryDial("http/1.1")
			if err != nil {
				t.Fatal(err)
			}
			defer worker.Conn.Close()
			if fate == 0 {
				worker.ask(t, asks())
				return
			}
			worker.ask(t, asksWell())
			router := d.next(t)
			if fate == 1 {
				_ = worker.Conn.Close()
				_, _ = io.Copy(io.Discard, router.Conn)
			}
			_ = router.Conn.Close()
		}
		once(0)
		before := descriptors(t)
		for i := range 60 {
			once(i % 3)
		}
		eventually(t, "their descriptors are closed", func() bool { return descriptors(t) <= before })
	})
}

func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc here")
	}
	return len(list)
}

// Whoever is announced to may take as long as he likes: nothing of the server
// waits for him.
func TestAttach_KeepsNobodyWaitingWhileItIsAnnounced(t *testing.T) {
	hold := make(chan struct{})
	d := newDoorstep(t, step{door: func(o *attach.Options) {
		announce := o.Announce
		o.Announce = func(a attach.Attached) error {
			_ = announce(a)
			<-hold
			return nil
		}
	}})
	worker, router := d.attach(t)
	wantCarries(t, worker, router.Conn)
	if err := d.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	closed := make(chan struct{})
	go func() {
		d.door.Close()
		close(closed)
	}()
	if !worker.isOver() {
		t.Error("the door does not close the connection")
	}
	select {
	case <-closed:
		t.Error("the door is closed, and somebody has a connection of it still")
	default:
	}
	close(hold)
	receive(t, "the door is closed", closed)
}

// FuzzClient_AnswersWhateverAsksToAttach looks for bytes that attach without being
// a request to, or that get neither an answer nor an end.
func FuzzClient_AnswersWhateverAsksToAttach(f *testing.F) {
	for _, c := range refusals {
		f.Add([]byte(c.text))
	}
	f.Add([]byte(asksWell()))
	f.Add([]byte("\r\n" + asksWell()))
	f.Add([]byte(ordinary + asksWell()))
	f.Fuzz(func(t *testing.T, data []byte) {
		var attached bool
		door, err := attach.NewDoor(attach.Options{Announce: func(a attach.Attached) error {
			attached = true
			return a.Conn.Close()
		}}, tokens)
		if err != nil {
			t.Fatal(err)
		}
		o := options()
		o.Handler = exchange.HandlerFunc(func(x *exchange.Exchange) {
			if len(x.Request.Upgrade) > 0 {
				t.Errorf("%q reaches endpoints as a switch to %q", data, x.Request.Upgrade)
			}
			_ = x.Responder.Respond(&exchange.Response{Status: 204, Minor: 1, Reason: []byte("No Content")})
		})
		s, m := New(o), newMemory()
		var serving sync.WaitGroup
		serving.Go(func() { _ = s.Serve(m, Listener{Address: "edge", Attach: door}) })
		c := m.dial()
		var reading sync.WaitGroup
		reading.Go(func() { _, _ = io.Copy(io.Discard, c) })
		_, _ = c.Write(data) // it may be closed before the end
		_ = c.Close()
		reading.Wait()
		if err := s.Shutdown(context.Background()); err != nil {
			t.Fatal(err)
		}
		door.Close()
		serving.Wait()
		if text := string(data); attached && (!strings.Contains(text, attach.Path+" HTTP/1.1\r\n") || !strings.HasSuffix(text, "\r\n\r\n")) {
			t.Errorf("%q is attached", data)
		}
	})
}

func TestAttach_TakesManyAtOnce(t *testing.T) {
	overBoth(t, step{}, func(t *testing.T, d *doorstep) {
		const many = 64
		var all sync.WaitGroup
		for i := range many {
			all.Go(func() {
				c, err := d.tryDial("http/1.1")
				if err != nil {
					t.Error(err)
					return
				}
				t.Cleanup(func() { _ = c.Conn.Close() })
				if _, err := io.WriteString(c.Conn, asks("Authorization: Bearer alpha", "Weir-Service: web", fmt.Sprint("Weir-Instance: i", i))); err != nil {
					t.Error(err)
					return
				}
				resp, err := http.ReadResponse(c.Reader, nil)
				if err != nil || resp.StatusCode != 101 {
					t.Errorf("worker %d: %v", i, err)
				}
			})
		}
		all.Wait()
		instances := map[string]bool{}
		for range many {
			instances[d.next(t).Identity.Instance] = true
		}
		if len(instances) != many {
			t.Errorf("of %d workers %d were announced", many, len(instances))
		}
	})
}
