//go:build real

package real

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/weirproxy/weir/internal/smuggling"
)

// How nginx by itself, and HAProxy in front of it, read the corpus. It is to be
// read, not to fail: a table in the log of the cases on which they and Weir
// disagree.
func TestSmuggling_OthersDisagree(t *testing.T) {
	cases, err := smuggling.Cases()
	if err != nil {
		t.Fatal(err)
	}
	// A witness for each, so that what is left over of one is not seen by another.
	behindWeir, alone, behindHAProxy := startWitness(t), startWitness(t), startWitness(t)
	w := startPlain(t, "unix:"+behindWeir.socket)
	haproxy := startHAProxy(t, behindHAProxy.socket)
	readers := []struct {
		name, network, address string
		witness                *witness
	}{
		{"Weir", "tcp", w.addresses[0], behindWeir},
		{"nginx", "unix", alone.socket, alone},
		{"HAProxy", "unix", haproxy, behindHAProxy},
	}
	var table strings.Builder
	out := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(out, "case\tWeir\tnginx\tHAProxy")
	differ := 0
	for _, c := range cases {
		if c.Switches() || len(c.Steps) > 1 || !c.In(smuggling.Whole) {
			continue
		}
		var verdicts []string
		for _, r := range readers {
			conn, err := net.Dial(r.network, r.address)
			if err != nil {
				t.Fatal(err)
			}
			got := smuggling.PlayWithin(conn, c, smuggling.Whole, 300*time.Millisecond)
			verdicts = append(verdicts, verdict(got, r.witness.take(t)))
		}
		if verdicts[0] != verdicts[1] || verdicts[0] != verdicts[2] {
			differ++
			_, _ = fmt.Fprintf(out, "%s\t%s\n", c.Name, strings.Join(verdicts, "\t"))
		}
	}
	_ = out.Flush()
	t.Logf("%d cases are read differently by one of them (messages that the endpoint saw; answers; closed or not):\n%s", differ, &table)
}

// verdict puts into few words what became of a case.
func verdict(got *smuggling.Transcript, messages []*smuggling.Message) string {
	var words []string
	for _, m := range messages {
		if m.Target == "/sentinel" {
			words = append(words, "sentinel")
			continue
		}
		words = append(words, fmt.Sprintf("%s %.20s %.20s %dB", m.Method, m.Target, m.Host, len(m.Body)))
	}
	if words == nil {
		words = append(words, "none")
	}
	words = append(words, ";")
	for _, a := range got.Answers {
		words = append(words, fmt.Sprint(a.Status))
	}
	switch {
	case errors.Is(got.Err, smuggling.ErrHangs):
		words = append(words, "waits")
	case got.Err != nil:
		words = append(words, "no HTTP")
	case got.Closed:
		words = append(words, "closed")
	}
	return strings.Join(words, " ")
}

// startHAProxy runs HAProxy in front of a socket, and returns its own.
func startHAProxy(t *testing.T, endpoint string) string {
	t.Helper()
	dir := socketDir(t)
	socket, config := filepath.Join(dir, "haproxy.sock"), filepath.Join(dir, "haproxy.cfg")
	writeFile(t, config, fmt.Sprintf(`
defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s
    timeout http-request 5s
    option forwardfor
frontend clients
    bind unix@%s
    default_backend endpoints
backend endpoints
    http-reuse always
    server nginx unix@%s
`, socket, endpoint))
	awaitSocket(t, start(t, "haproxy", "-db", "-f", config), socket)
	return socket
}
