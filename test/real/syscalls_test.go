//go:build real

package real

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// mostSyscalls is how many system calls may move the bytes of one request: each
// side is read once and written once, and now and then there is more to it.
const mostSyscalls = 4.2

// A plain request takes no more system calls than it has messages.
func TestSyscalls_AreFour(t *testing.T) {
	endpoint := startKillable(t, "127.0.0.1:0")
	w := startPlain(t, "http://"+endpoint.address)
	wrk(t, w.url("/"), time.Second) // opens connections, fills pools
	summary := filepath.Join(t.TempDir(), "strace")
	tracer := start(t, "strace", "-f", "-c", "-o", summary, "-p", strconv.Itoa(w.pid()))
	tracer.await(t, "attached", 1)
	l := wrk(t, w.url("/"), 3*time.Second)
	tracer.stop(syscall.SIGINT)
	text, err := os.ReadFile(summary)
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	var parts []string
	for name, n := range countSyscalls(string(text)) {
		switch name {
		case "read", "readv", "recvfrom", "recvmsg", "recvmmsg", "write", "writev", "sendto", "sendmsg", "sendmmsg", "splice":
			calls += n
			parts = append(parts, name+" "+strconv.Itoa(n))
		}
	}
	each := float64(calls) / float64(l.requests)
	t.Logf("%.3f per request (%s; %d requests)", each, strings.Join(parts, ", "), l.requests)
	if each > mostSyscalls || each < 3 {
		t.Errorf("%.3f system calls per request\n%s", each, text)
	}
}

// countSyscalls reads the table of strace -c: % time, seconds, usecs/call, calls,
// errors if any, name.
func countSyscalls(table string) map[string]int {
	counts := map[string]int{}
	for line := range strings.Lines(table) {
		words := strings.Fields(line)
		if len(words) < 5 {
			continue
		}
		if n, err := strconv.Atoi(words[3]); err == nil {
			counts[words[len(words)-1]] += n
		}
	}
	return counts
}
