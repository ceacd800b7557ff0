package attach

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A gate is a door on a real port, with TLS.
type gate struct {
	*Door
	*authority
	address   string
	announced chan Attached
}

func newGate(t *testing.T, o Options, r Rules) *gate {
	t.Helper()
	g := &gate{authority: newAuthority(t), announced: make(chan Attached, 16)}
	o.TLS = &tls.Config{
		Certificates: []tls.Certificate{g.issue(t, "router.example.com")},
		ClientCAs:    g.roots, ClientAuth: tls.VerifyClientCertIfGiven,
		NextProtos: []string{"spdy/3"},
	}
	o.Announce = func(a Attached) error {
		g.announced <- a
		return nil
	}
	var err error
	if g.Door, err = NewDoor(o, r); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g.address = l.Addr().String()
	done := make(chan error, 1)
	go func() { done <- g.Serve(l) }()
	t.Cleanup(func() {
		g.Door.Close()
		<-done
	})
	return g
}

// dial opens a connection that offers protocols, with a certificate of a name if
// there is one.
func (g *gate) dial(t *testing.T, name string, protocols ...string) (*tls.Conn, error) {
	t.Helper()
	cfg := &tls.Config{RootCAs: g.roots, ServerName: "router.example.com", NextProtos: protocols}
	if name != "" {
		cfg.Certificates = []tls.Certificate{g.issue(t, name)}
	}
	raw, err := net.Dial("tcp", g.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = raw.Close() })
	_ = raw.SetDeadline(time.Now().Add(time.Minute)) // a test that hangs says where
	c := tls.Client(raw, cfg)
	return c, c.Handshake()
}

func (g *gate) mustDial(t *testing.T, name string, protocols ...string) *tls.Conn {
	t.Helper()
	c, err := g.dial(t, name, protocols...)
	if err != nil {
		t.Fatalf("no handshake with %v: %v", protocols, err)
	}
	return c
}

var workers = Rules{
	Tokens:       []Token{{"alpha", []string{"web"}}},
	Certificates: []Certificate{{"worker.example.com", []string{"shop@*", "api@v2"}}, {"any.example.com", []string{"*"}}},
}

func TestTLS_ChoosesTheDoorByProtocol(t *testing.T) {
	g := newGate(t, Options{}, workers)
	for _, c := range []struct {
		offered []string
		want    string
	}{
		{[]string{"h2", "http/1.1"}, "http/1.1"},
		{[]string{"http/1.1"}, "http/1.1"},
		{[]string{"h2", "rh2"}, "rh2"},
		{[]string{"h2"}, "h2"},
		{nil, ""},
	} {
		conn := g.mustDial(t, "worker.example.com", c.offered...)
		if got := conn.ConnectionState().NegotiatedProtocol; got != c.want {
			t.Errorf("of %v the door chose %q, not %q", c.offered, got, c.want)
		}
		_ = conn.Close()
	}
	if _, err := g.dial(t, "", "spdy/3"); err == nil {
		t.Error("a protocol that the door does not speak was agreed on")
	}
}

func TestTLS_UpgradesWithTokenOrCertificate(t *testing.T) {
	g := newGate(t, Options{}, workers)
	for _, c := range []struct {
		what, name, text string
		status           int
	}{
		{"a token", "", request("Authorization: Bearer alpha", "Weir-Service: web"), 101},
		{"nothing, from this machine", "", request("Weir-Service: web"), 401},
		{"a certificate", "worker.example.com", request("Weir-Service: shop", "Weir-Version: v1"), 101},
		{"a certificate for another service", "worker.example.com", request("Weir-Service: web"), 403},
		{"an unknown certificate", "other.example.com", request("Weir-Service: web"), 401},
	} {
		if a := ask(t, g.mustDial(t, c.name, "http/1.1"), c.text); a.StatusCode != c.status {
			t.Errorf("with %s the answer is %d (%s), not %d", c.what, a.StatusCode, a.problem.Detail, c.status)
		}
		if c.status != 101 {
			continue
		}
		if a := <-g.announced; a.Kind != Upgraded || (a.Certificate != nil) != (c.name != "") {
			t.Errorf("with %s the worker was announced as %v with certificate %v", c.what, a.Kind, a.Certificate != nil)
		}
	}
}

func TestReversed_WaitsToBeIdentified(t *testing.T) {
	g := newGate(t, Options{}, workers)
	g.mustDial(t, "", "rh2")
	a := <-g.announced
	if !a.Pending || a.Kind != Reversed || len(g.Live()) != 0 {
		t.Fatalf("the connection is %v, pending: %v, with %d live", a.Kind, a.Pending, len(g.Live()))
	}
	var refusal *Refusal
	for _, c := range []struct {
		claim  Claim
		token  string
		status int
	}{
		{Claim{Service: "shop"}, "alpha", 403},
		{Claim{Service: "web"}, "beta", 401},
		{Claim{Service: "web"}, "", 401},
		{Claim{Service: "a/b"}, "alpha", 400},
		{Claim{Service: "web", Weight: 1001}, "alpha", 400},
		{Claim{Service: "web", Labels: map[string]string{"": "x"}}, "alpha", 400},
	} {
		if id, err := g.Identify(a.Conn, &c.claim, c.token); !errors.As(err, &refusal) || refusal.Status != c.status {
			t.Errorf("%+v with token %q was identified as %+v (%v), not refused with %d", c.claim, c.token, id, err, c.status)
		}
	}
	id, err := g.Identify(a.Conn, &Claim{Service: "web", Instance: "i"}, "alpha")
	if err != nil || id.Credential != "tokens[0]" || id.Weight != 1 {
		t.Fatalf("the worker was identified as %+v (%v)", id, err)
	}
	if live := g.Live(); len(live) != 1 || live[0].Pending || live[0].Identity.Instance != "i" || g.underWay() != 0 {
		t.Errorf("after that, live is %+v, and %d handshakes are under way", live, g.underWay())
	}
	if _, err := g.Identify(a.Conn, nil, ""); !errors.Is(err, ErrNotPending) {
		t.Errorf("a connection was identified twice (%v)", err)
	}
}

func TestReversed_IsKnownByItsCertificate(t *testing.T) {
	g := newGate(t, Options{}, workers)
	g.mustDial(t, "worker.example.com", "rh2")
	id, err := g.Identify((<-g.announced).Conn, nil, "")
	if err != nil || id.Service != "api" || id.Version != "v2" || id.Instance == "" || id.Credential != "certificate worker.example.com" {
		t.Errorf("by its certificate the worker is %+v (%v)", id, err)
	}
	g.mustDial(t, "any.example.com", "rh2")
	var refusal *Refusal
	if id, err := g.Identify((<-g.announced).Conn, nil, ""); !errors.As(err, &refusal) || refusal.Status != 403 {
		t.Errorf("a certificate for everything is taken for %+v (%v)", id, err)
	}
}

func TestReversed_IsClosedUnlessIdentifiedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := newAuthority(t)
		router := &tls.Config{Certificates: []tls.Certificate{issuer.issue(t, "router.example.com")}}
		room := newRoom(t, "192.0.2.1", Options{TLS: router}, workers)
		c := tls.Client(room.dial(t), &tls.Config{RootCAs: issuer.roots, ServerName: "router.example.com", NextProtos: []string{"rh2"}})
		start, ended := time.Now(), make(chan error, 1)
		go func() {
			_, err := c.Read(make([]byte, 1)) // the handshake too
			ended <- err
		}()
		a := <-room.announced
		if err := <-ended; err == nil || time.Since(start) != 10*time.Second {
			t.Errorf("a connection that nobody identified ended after %v with %v, not after 10 s", time.Since(start), err)
		}
		synctest.Wait()
		if _, err := room.Identify(a.Conn, &Claim{Service: "web"}, "alpha"); err == nil || len(room.Live()) != 0 {
			t.Errorf("a connection that is closed was identified (%v)", err)
		}
	})
}

func TestReversed_IsGivenUpForANewerOne(t *testing.T) {
	g := newGate(t, Options{Handshakes: 1}, workers)
	first := g.mustDial(t, "", "rh2")
	a := <-g.announced
	if ask := ask(t, g.mustDial(t, "", "http/1.1"), request("Authorization: Bearer alpha", "Weir-Service: web")); ask.StatusCode != http.StatusSwitchingProtocols {
		t.Errorf("while a worker is pending in the only place, the next got %d", ask.StatusCode)
	}
	if _, err := first.Read(make([]byte, 1)); err == nil {
		t.Error("the connection that was given up brought a byte")
	}
	if _, err := g.Identify(a.Conn, &Claim{Service: "web"}, "alpha"); err == nil {
		t.Error("the connection that was given up was identified")
	}
	_ = a.Conn.Close()
}

func TestDialed_StripsBothPrefaces(t *testing.T) {
	g := newGate(t, Options{}, workers)
	c := g.mustDial(t, "worker.example.com", "h2")
	if _, err := io.WriteString(c, preface+"their settings"); err != nil {
		t.Fatal(err)
	}
	a := <-g.announced
	if a.Kind != Dialed || a.Identity.Service != "api" || a.Identity.Version != "v2" || a.Certificate == nil {
		t.Errorf("the worker was announced as %v, %+v", a.Kind, a.Identity)
	}
	read := make([]byte, len("their settings"))
	if _, err := io.ReadFull(a.Conn, read); err != nil || string(read) != "their settings" {
		t.Errorf("after the preface, %q was read (%v)", read, err)
	}
	for _, part := range []string{preface[:10], preface[10:] + "our ", "settings"} {
		if n, err := io.WriteString(a.Conn, part); n != len(part) || err != nil {
			t.Errorf("writing %q returned %d, %v", part, n, err)
		}
	}
	read = make([]byte, len("our settings"))
	if _, err := io.ReadFull(c, read); err != nil || string(read) != "our settings" {
		t.Errorf("the worker read %q (%v)", read, err)
	}
}

func TestDialed_IsRefused(t *testing.T) {
	g := newGate(t, Options{}, workers)
	for what, c := range map[string]struct{ name, text string }{
		"without a certificate":             {"", preface},
		"with an unknown certificate":       {"other.example.com", preface},
		"with a certificate for everything": {"any.example.com", preface},
		"without a preface":                 {"worker.example.com", "GET / HTTP/1.1\r\nHost: r\r\n\r\n"},
	} {
		conn := g.mustDial(t, c.name, "h2")
		_, _ = io.WriteString(conn, c.text)
		if n, err := conn.Read(make([]byte, 1)); n > 0 || err == nil {
			t.Errorf("%s, a connection stayed open", what)
		}
	}
	if n := len(g.announced); n > 0 {
		t.Errorf("%d of these were announced", n)
	}
}

func TestDialed_WritesNothingElseInPlaceOfAPreface(t *testing.T) {
	c := &conn{unsaid: preface}
	if n, err := c.Write([]byte("PRI * HTTP/1.1")); n != 0 || err == nil {
		t.Errorf("something else than a preface was left out: %d, %v", n, err)
	}
}

func TestMeter_BoundsWhatAHandshakeCanBring(t *testing.T) {
	m := &meter{Conn: &scripted{data: make([]byte, 2*handshakeBytes)}, left: handshakeBytes}
	n, err := io.Copy(io.Discard, struct{ io.Reader }{m})
	if n != handshakeBytes || !errors.Is(err, errTooMuch) {
		t.Errorf("a handshake brought %d bytes (%v), not %d", n, err, handshakeBytes)
	}
	m.lift()
	if n, err := io.Copy(io.Discard, struct{ io.Reader }{m}); n != handshakeBytes || err != nil {
		t.Errorf("after it, the rest is %d bytes (%v)", n, err)
	}
}

func TestTLS_BelievesOnlyVerifiedCertificates(t *testing.T) {
	state := &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{DNSNames: []string{"worker.example.com"}}}}
	if verified(state) != nil {
		t.Error("a certificate that nobody verified is believed")
	}
	state.VerifiedChains = [][]*x509.Certificate{state.PeerCertificates}
	if verified(state) == nil {
		t.Error("a certificate that was verified is not believed")
	}
}

// A configuration that is chosen anew for each connection, as when certificates
// are renewed, has protocols of its own.
func TestTLS_OffersItsProtocolsWhateverIsChosen(t *testing.T) {
	inner := &tls.Config{NextProtos: []string{"http/1.1"}}
	cfg := withProtocols(&tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return inner, nil }})
	chosen, err := cfg.GetConfigForClient(nil)
	if err != nil || !slices.Equal(chosen.NextProtos, protocols) || !slices.Equal(cfg.NextProtos, protocols) {
		t.Errorf("the protocols are %v, and %v when chosen (%v)", cfg.NextProtos, chosen.NextProtos, err)
	}
	if len(inner.NextProtos) != 1 {
		t.Errorf("the configuration that was given has been changed to %v", inner.NextProtos)
	}
}
