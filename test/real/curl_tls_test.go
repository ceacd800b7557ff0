//go:build real

package real

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// A listener chooses its certificate by the name that is asked for.
func TestCurl_SNI(t *testing.T) {
	ca := newAuthority(t)
	a, b := ca.issue(t, "a.example"), ca.issue(t, "b.example")
	w := startWeir(t, fmt.Sprintf(`
listeners:
  - address: "127.0.0.1:0"
    tls: { certificates: [{ cert: %q, key: %q }, { cert: %q, key: %q }] }
services: { default: { endpoints: [%q] } }`, a.cert, a.key, b.cert, b.key, serve(t, hello)))
	for _, name := range []string{"a.example", "b.example"} {
		out := curl(t, "-v", "--stderr", "-", "--cacert", ca.file, "--connect-to", name+":443:"+w.addresses[0], "https://"+name+"/x")
		if !strings.Contains(out, "subject: CN="+name) || !strings.Contains(out, "GET /x") {
			t.Errorf("%s:\n%s", name, out)
		}
	}
	refuseCurl(t, unverified, "--cacert", ca.file, "--connect-to", "c.example:443:"+w.addresses[0], "https://c.example/")
}

// refuseCurl holds that curl fails for the sake of TLS: by one of its exit codes.
func refuseCurl(t *testing.T, codes []int, args ...string) {
	t.Helper()
	cmd := exec.Command("curl", append([]string{"-sS", "--max-time", "15"}, args...)...)
	out, err := cmd.CombinedOutput()
	if err == nil || !slices.Contains(codes, cmd.ProcessState.ExitCode()) {
		t.Errorf("curl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

var (
	// unverified: curl does not believe the server.
	unverified = []int{60}
	// shutOut: the server ends the handshake. In TLS 1.3 that is after curl's
	// own part of it, so that sending or receiving may be what fails.
	shutOut = []int{35, 55, 56}
)

// A listener with an authority for clients lets in only who has its certificate.
func TestCurl_ClientCertificate(t *testing.T) {
	ca, strangers := newAuthority(t), newAuthority(t)
	p, client, stranger := ca.issue(t, "127.0.0.1"), ca.issue(t, "client"), strangers.issue(t, "client")
	w := startWeir(t, fmt.Sprintf(`
listeners:
  - address: "127.0.0.1:0"
    tls: { certificates: [{ cert: %q, key: %q }], client_ca: %q }
services: { default: { endpoints: [%q] } }`, p.cert, p.key, ca.file, serve(t, hello)))
	url := "https://" + w.addresses[0] + "/x"
	wantCurl(t, []string{"--cacert", ca.file, "--cert", client.cert, "--key", client.key, url}, "GET /x")
	refuseCurl(t, shutOut, "--cacert", ca.file, url)
	refuseCurl(t, shutOut, "--cacert", ca.file, "--cert", stranger.cert, "--key", stranger.key, url)
}

// An https endpoint has to show a certificate that the service trusts, for the
// name that it is known by; and is shown the service's own.
func TestCurl_SecureEndpoints(t *testing.T) {
	ca, strangers := newAuthority(t), newAuthority(t)
	own := ca.issue(t, "weir")
	right := serveTLS(t, ca.issue(t, "endpoint.example", "127.0.0.1"), &tls.Config{}, hello)
	wrong := serveTLS(t, ca.issue(t, "other.example"), &tls.Config{}, hello)
	mutual := serveTLS(t, ca.issue(t, "127.0.0.1"), &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.pool()},
		func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprintln(w, "client", r.TLS.PeerCertificates[0].Subject.CommonName)
		})
	services := []struct{ name, url, tls, want string }{
		{"right", right, fmt.Sprintf("ca: %q", ca.file), "GET /right"},
		{"named", right, fmt.Sprintf("ca: %q, server_name: endpoint.example", ca.file), "GET /named"},
		{"unknown", right, fmt.Sprintf("ca: %q", strangers.file), ""},
		{"name", wrong, fmt.Sprintf("ca: %q", ca.file), ""},
		{"other", wrong, fmt.Sprintf("ca: %q, server_name: other.example", ca.file), "GET /other"},
		{"mutual", mutual, fmt.Sprintf("ca: %q, cert: %q, key: %q", ca.file, own.cert, own.key), "client weir"},
		{"silent", mutual, fmt.Sprintf("ca: %q", ca.file), ""},
		{"any", wrong, "insecure_skip_verify: true", "GET /any"},
	}
	yaml := "listeners: [{ address: \"127.0.0.1:0\" }]\nroutes:\n"
	for _, s := range services {
		yaml += fmt.Sprintf("  - { match: { path: /%s }, service: %s }\n", s.name, s.name)
	}
	yaml += "services:\n"
	for _, s := range services {
		yaml += fmt.Sprintf("  %s: { endpoints: [%q], tls: { %s } }\n", s.name, s.url, s.tls)
	}
	w := startWeir(t, yaml)
	for _, s := range services {
		t.Run(s.name, func(t *testing.T) {
			if s.want != "" {
				wantCurl(t, []string{w.url("/" + s.name)}, s.want)
				return
			}
			out := curl(t, "-i", w.url("/"+s.name))
			code := `"error":"tls_failed"`
			if !strings.Contains(out, "HTTP/1.1 502 ") || !strings.Contains(out, code) {
				t.Errorf("%s", out)
			}
		})
	}
}
