//go:build real

package real

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

// The secrets of workers, and that of nobody.
const (
	knownToken   = "known-0123456789abcdef"
	unknownToken = "unknown-0123456789abcdef"
)

// Check 12: who is refused is told why, goes on trying, and is let in as soon as the
// router's configuration has it so.
func TestWorkers_AreToldWhyAndGoOnTrying(t *testing.T) {
	t.Parallel()
	front, door := vacant(t), vacant(t)
	const config = `
listeners: [{ address: %q }]
attach: { address: %q, tokens: [%s] }
services: { default: {} }`
	w := &router{startWeir(t, fmt.Sprintf(config, front, door, `{ token: "`+knownToken+`", services: [default] }`)), door}
	local := serve(t, tells("let in"))
	none := w.attach(t, "none", local)
	wrong := w.attach(t, "wrong", local, "--token", unknownToken)
	other := w.attach(t, "other", local, "--token", knownToken, "--service", "shop")
	for _, c := range []struct {
		who  *process
		says []string
	}{
		{none, []string{"401 Unauthorized", "unauthorized", "give a token with --token or in WEIR_TOKEN"}},
		{wrong, []string{"401 Unauthorized", "unauthorized", "it does not know this token"}},
		{other, []string{"403 Forbidden", "service_forbidden", "choose one of those with --service"}},
	} {
		line := c.who.await(t, "cannot attach to "+door, 1)[0]
		for _, part := range c.says {
			if !strings.Contains(line, part) {
				t.Errorf("it says nothing of %q: %s", part, line)
			}
		}
	}
	w.await(t, "a worker was refused", 3)
	if names := w.workers(t); len(names) > 0 {
		t.Errorf("%v serve, who were refused", names)
	}
	path := w.cmd.Args[len(w.cmd.Args)-1]
	writeFile(t, path, fmt.Sprintf(config, front, door, `{ token: "`+knownToken+`", services: ["*"] }, { token: "`+unknownToken+`", services: [default] }`)+
		"\nadmin: { address: \"127.0.0.1:0\" }\n")
	_ = w.cmd.Process.Signal(syscall.SIGHUP)
	wrong.await(t, "attached to "+door+" as service default", 1)
	other.await(t, "attached to "+door+" as service shop", 1)
	if got := whole(newHTTPClient(t).Get(w.url("/"))); got != "200 let in" {
		t.Errorf("who was let in answers %q", got)
	}
	if said := strings.Join(none.lines(), "\n"); strings.Contains(said, "attached to") {
		t.Errorf("somebody attached without a token:\n%s", said)
	}
	for _, p := range []*process{w.process, none, wrong, other} {
		for _, token := range []string{knownToken, unknownToken} {
			if strings.Contains(strings.Join(p.lines(), "\n"), token) {
				t.Errorf("a token is in what %s says", p.cmd.Args)
			}
		}
	}
}

// Check 12: a worker gives nothing to a router that it cannot verify, says why, and
// attaches once the right one is there.
func TestWorkers_VerifyTheRouter(t *testing.T) {
	ca := newAuthority(t)
	host, _, _ := net.SplitHostPort(vacant(t))
	for _, c := range []struct {
		name string
		cert pair
		says []string
	}{
		{"of an unknown authority", newAuthority(t).issue(t, host), []string{"unknown authority", "--ca FILE"}},
		{"with another name", ca.issue(t, routerName), []string{"TLS with " + host, "call the router by a name that its certificate has"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			door := vacant(t)
			l, err := tls.Listen("tcp", door, &tls.Config{Certificates: []tls.Certificate{c.cert.load(t)}})
			if err != nil {
				t.Fatal(err)
			}
			impostor := &http.Server{ErrorLog: quiet, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				t.Errorf("a router that was not verified gets %s %s", r.Method, r.RequestURI)
			})}
			go func() { _ = impostor.Serve(l) }()
			t.Cleanup(func() { _ = impostor.Close() })
			w := startAttach(t, serve(t, tells("a")), "--to", "https://"+door, "--ca", ca.file, "--token", knownToken)
			line := w.await(t, "cannot attach to https://"+door, 1)[0]
			for _, part := range c.says {
				if !strings.Contains(line, part) {
					t.Errorf("it says nothing of %q: %s", part, line)
				}
			}
			_ = impostor.Close()
			r := startSecureRouter(t, ca, door)
			w.await(t, "attached to https://"+door, 1)
			r.awaitWorkers(t, 1)
			if got := whole(newHTTPClient(t).Get(r.url("/"))); got != "200 a" {
				t.Errorf("the worker answers %q", got)
			}
		})
	}
}

// startSecureRouter runs a router where workers attach over TLS, by a token or by a
// certificate.
func startSecureRouter(t *testing.T, ca *authority, door string) *router {
	t.Helper()
	host, _, _ := net.SplitHostPort(door)
	own := ca.issue(t, routerName, host)
	return &router{startWeir(t, fmt.Sprintf(`
listeners: [{ address: "127.0.0.1:0" }]
attach:
  address: %q
  tls: { certificates: [{ cert: %q, key: %q }], client_ca: %q }
  tokens: [{ token: %q, services: [default] }]
  certificates: [{ san: %q, services: [default] }]
services: { default: {} }`, door, own.cert, own.key, ca.file, knownToken, workerName)), door}
}

// Every door lets in who has a token or a certificate.
func TestWorkers_AttachOverTLS(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	r := startSecureRouter(t, ca, vacant(t))
	own := ca.issue(t, workerName)
	token, certificate := []string{"--token", knownToken}, []string{"--cert", own.cert, "--key", own.key}
	client := newHTTPClient(t)
	for i, c := range []struct {
		name, protocol string
		proof          []string
	}{
		{"ptth-token", "ptth", token},
		{"ptth-certificate", "ptth", certificate},
		{"rh2-token", "rh2", token},
		{"rh2-certificate", "rh2", certificate},
		{"rhttp-certificate", "rhttp", certificate},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := startAttach(t, serve(t, tells(c.name)), append(c.proof,
				"--to", "https://"+r.door, "--ca", ca.file, "--protocol", c.protocol, "--instance", c.name)...)
			await(t, "worker", func() bool { return whole(client.Get(r.url("/"))) == "200 "+c.name })
			if last := r.await(t, attachedLine, i+1)[i]; !strings.Contains(last, " door="+c.protocol+" ") {
				t.Errorf("it has not attached by %s: %s", c.protocol, last)
			}
			w.stop(syscall.SIGTERM)
			endsCleanly(t, w)
			r.awaitWorkers(t, 0)
		})
	}
}

// Workers and clients can come by the same listener, where workers need a token.
func TestWorkers_AttachWhereClientsCome(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	front := vacant(t)
	host, _, _ := net.SplitHostPort(front)
	own := ca.issue(t, host)
	r := &router{startWeir(t, fmt.Sprintf(`
listeners: [{ address: %q, attach: true, tls: { certificates: [{ cert: %q, key: %q }] } }]
attach: { address: off, tokens: [{ token: %q, services: [default] }] }
services: { default: {} }`, front, own.cert, own.key, knownToken)), front}
	local := serve(t, tells("a"))
	to := []string{"--to", "https://" + front, "--ca", ca.file}
	stranger := startAttach(t, local, to...)
	stranger.await(t, "401 Unauthorized", 1)
	startAttach(t, local, append(to, "--token", knownToken)...)
	r.awaitWorkers(t, 1)
	startAttach(t, local, append(to, "--token", knownToken, "--protocol", "rh2")...)
	r.awaitWorkers(t, 2)
	for range 4 {
		wantCurl(t, []string{"-i", "--cacert", ca.file, "https://" + front + "/"}, "HTTP/1.1 200 OK", "a")
	}
}
