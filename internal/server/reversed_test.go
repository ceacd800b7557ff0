package server

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/weirproxy/weir/internal/attach"
)

func TestReversed_IsOfferedBeforeHTTP1(t *testing.T) {
	for _, s := range []step{
		{tls: true},
		{tls: true, listener: func(l *Listener) { l.TLS = chosenAnew(l.TLS, nil) }},
		{tls: true, listener: func(l *Listener) { l.TLS = chosenAnew(l.TLS, []string{"http/1.1"}) }},
	} {
		d := newDoorstep(t, s)
		for _, c := range []struct {
			offered []string
			want    string
		}{
			{[]string{"http/1.1", "rh2"}, "rh2"},
			{[]string{"rh2"}, "rh2"},
			{[]string{"h2", "http/1.1"}, "http/1.1"},
			{[]string{"http/1.1"}, "http/1.1"},
			{nil, ""},
		} {
			client := d.dial(t, c.offered...)
			if got := negotiated(client); got != c.want {
				t.Errorf("of %v the server chose %q, not %q", c.offered, got, c.want)
			}
			if c.want != "rh2" && client.ask(t, ordinary).StatusCode != 204 {
				t.Errorf("a client that offers %v is not answered", c.offered)
			}
		}
		if c, err := d.tryDial("h2"); err == nil {
			_ = c.Conn.Close()
			t.Error("a protocol that the server does not speak was agreed on")
		}
	}
}

// chosenAnew is a configuration that is looked up for each connection, as when
// certificates are renewed.
func chosenAnew(c *tls.Config, protocols []string) *tls.Config {
	chosen := c.Clone()
	chosen.NextProtos = protocols
	return &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return chosen, nil }}
}

func negotiated(c *caller) string {
	return c.Conn.(*tls.Conn).ConnectionState().NegotiatedProtocol
}

func TestReversed_IsNotOfferedWhereNobodyAttaches(t *testing.T) {
	d := newDoorstep(t, step{tls: true, listener: func(l *Listener) { l.Attach = nil }})
	c := d.dial(t, "rh2", "http/1.1")
	if got := negotiated(c); got == "rh2" || c.ask(t, ordinary).StatusCode != 204 {
		t.Errorf("the server chose %q", got)
	}
}

func TestReversed_ChangesNoConfigurationButItsOwn(t *testing.T) {
	inner := &tls.Config{NextProtos: []string{"http/1.1"}}
	outer := &tls.Config{NextProtos: []string{"http/1.1", "x"}, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return inner, nil }}
	c := offerReversed(outer)
	chosen, err := c.GetConfigForClient(nil)
	if err != nil || !slices.Equal(chosen.NextProtos, []string{"rh2", "http/1.1"}) || !slices.Equal(c.NextProtos, []string{"rh2", "http/1.1", "x"}) {
		t.Errorf("the protocols are %v, and %v when chosen (%v)", c.NextProtos, chosen.NextProtos, err)
	}
	if len(inner.NextProtos) != 1 || len(outer.NextProtos) != 2 {
		t.Errorf("the configurations that were given have been changed to %v and %v", inner.NextProtos, outer.NextProtos)
	}
	if offerReversed(nil) != nil {
		t.Error("clear text has become TLS")
	}
}

func TestReversed_PassesOnWhatChoosingSays(t *testing.T) {
	wrong := errors.New("unknown name")
	answer := func() (*tls.Config, error) { return nil, wrong }
	c := offerReversed(&tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return answer() }})
	if chosen, err := c.GetConfigForClient(nil); chosen != nil || !errors.Is(err, wrong) {
		t.Errorf("an error has become %v, %v", chosen, err)
	}
	answer = func() (*tls.Config, error) { return nil, nil }
	if chosen, err := c.GetConfigForClient(nil); chosen != nil || err != nil {
		t.Errorf("no configuration has become %v, %v", chosen, err)
	}
}

// Tickets are sealed with keys of the listener's configuration, not of the one
// that is made for a connection.
func TestReversed_LetsSessionsResume(t *testing.T) {
	d := newDoorstep(t, step{tls: true, listener: func(l *Listener) { l.TLS = chosenAnew(l.TLS, nil) }})
	d.secure = d.secure.Clone()
	d.secure.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	for i := range 2 {
		c := d.dial(t, "http/1.1")
		c.ask(t, ordinary) // what is read brings the ticket
		if resumed := c.Conn.(*tls.Conn).ConnectionState().DidResume; resumed != (i > 0) {
			t.Errorf("connection %d resumes a session: %t", i, resumed)
		}
	}
}

func TestReversed_StandsBesideOrdinaryTraffic(t *testing.T) {
	d := newDoorstep(t, step{tls: true, server: func(o *Options) { o.MaxConnections = 2 }})
	client := d.dial(t, "http/1.1")
	for range 3 { // with one place beside the client's
		worker := d.dial(t, "rh2", "http/1.1")
		router := d.next(t)
		if !router.Pending || router.Kind != attach.Reversed {
			t.Errorf("the worker is announced as %v, pending: %t", router.Kind, router.Pending)
		}
		id, err := d.door.Identify(router.Conn, &attach.Claim{Service: "web"}, "alpha")
		if err != nil || id.Service != "web" {
			t.Fatalf("the worker is identified as %+v (%v)", id, err)
		}
		wantCarries(t, worker, router.Conn)
		eventually(t, "the worker is no client", func() bool { return d.open() == 1 })
		if a := client.ask(t, ordinary); a.StatusCode != 204 {
			t.Errorf("beside workers a client is answered %d", a.StatusCode)
		}
	}
	_ = client.Conn.Close()
	if err := d.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown waits for a worker: %v", err)
	}
	if n := len(d.door.Live()); n != 3 {
		t.Errorf("after Shutdown %d workers are attached, not 3", n)
	}
}

func TestReversed_IsNobodyWithoutTokenOrCertificate(t *testing.T) {
	d := newDoorstep(t, step{tls: true})
	worker := d.dial(t, "rh2")
	router := d.next(t)
	var refusal *attach.Refusal
	if id, err := d.door.Identify(router.Conn, &attach.Claim{Service: "web"}, ""); !errors.As(err, &refusal) || refusal.Status != 401 {
		t.Errorf("from this machine a worker that shows nothing is %+v (%v)", id, err)
	}
	_ = router.Conn.Close()
	if !worker.isOver() {
		t.Error("its connection goes on")
	}
}

func TestReversed_IsClosedUnlessIdentifiedInTime(t *testing.T) {
	d := newDoorstep(t, step{tls: true, door: func(o *attach.Options) { o.Timeout = 10 * time.Millisecond }})
	if worker := d.dial(t, "rh2"); !worker.isOver() {
		t.Error("a connection that nobody identifies stays open")
	}
	_ = d.next(t).Conn.Close()
}

func TestReversed_IsClosedWhileTheRouterDrains(t *testing.T) {
	d := newDoorstep(t, step{tls: true, door: func(o *attach.Options) { o.Draining = func() bool { return true } }})
	if worker := d.dial(t, "rh2"); !worker.isOver() || len(d.announced) > 0 {
		t.Error("a router that drains takes a worker")
	}
}

func TestReversed_IsClosedWhenTheDoorIs(t *testing.T) {
	d := newDoorstep(t, step{tls: true})
	d.door.Close()
	if worker := d.dial(t, "rh2"); !worker.isOver() {
		t.Error("a door that is closed takes a worker")
	}
	if worker := d.dial(t, "http/1.1"); worker.ask(t, asksWell()).StatusCode == 101 && !worker.isOver() {
		t.Error("a door that is closed keeps a worker")
	}
}

// There are as many places as the door has. Who comes last gets in, whoever
// stalls.
func TestReversed_BearsHundredsThatAreNobody(t *testing.T) {
	const places, many = 4, 200
	d := newDoorstep(t, step{tls: true, door: func(o *attach.Options) { o.Handshakes = places }})
	before := descriptors(t)
	var stalling []net.Conn
	for range many {
		stalling = append(stalling, d.dial(t, "rh2").Conn)
		defer func(a attach.Attached) { _ = a.Conn.Close() }(d.next(t))
	}
	worker := d.dial(t, "rh2")
	router := d.next(t)
	if _, err := d.door.Identify(router.Conn, &attach.Claim{Service: "web"}, "alpha"); err != nil {
		t.Fatalf("behind %d connections that are nobody's, a worker is not let in: %v", many, err)
	}
	wantCarries(t, worker, router.Conn)
	if a := d.dial(t, "http/1.1").ask(t, ordinary); a.StatusCode != 204 {
		t.Errorf("beside them an ordinary request is answered %d", a.StatusCode)
	}
	for i, c := range stalling[:many-places] {
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Fatalf("connection %d of %d, with %d places, reads %v, not its end", i, many, places, err)
		}
		_ = c.Close()
	}
	eventually(t, "descriptors are closed", func() bool { return descriptors(t) <= before+2*(places+2) })
}
