//go:build real

package real

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/weirproxy/weir/test/real/ledger"
)

// A bookkeeper is an endpoint process that keeps a ledger. The process may be
// killed and started again; name, address and ledger stay.
type bookkeeper struct {
	*process
	name, address string
	ledger        string // the file
	manner        string // the file that tells how to answer
	ns            *namespace
	router        string // where it attaches, instead of listening at address
	lives         int    // how often it was started, if each time is to be another instance
}

// bookkeepers counts those of this process, so that each has a name and, on
// loopback, an address of its own.
var bookkeepers atomic.Int32

// newBookkeeper starts one on loopback. Its port is none that the kernel would give
// to a connection, so that nobody has taken it when it comes back, and no dial to
// it while it is gone meets itself.
func newBookkeeper(t *testing.T) *bookkeeper {
	t.Helper()
	n, id := int(bookkeepers.Add(1)), os.Getpid()
	return setUp(t, &bookkeeper{
		name:    fmt.Sprintf("loopback%d", n),
		address: fmt.Sprintf("127.%d.%d.%d:8000", 1+id/256%250, id%256, 1+n%250),
	})
}

// newBookkeeperIn starts one in a namespace of its own.
func newBookkeeperIn(t *testing.T, ns *namespace) *bookkeeper {
	t.Helper()
	return setUp(t, &bookkeeper{
		name:    fmt.Sprintf("namespace%d", bookkeepers.Add(1)),
		address: ns.inside + ":8000", ns: ns,
	})
}

// newDialingBookkeeper starts one that attaches to a router. With lives, it is
// another instance each time.
func newDialingBookkeeper(t *testing.T, kind, router string, lives int) *bookkeeper {
	t.Helper()
	return setUp(t, &bookkeeper{name: fmt.Sprintf("%s%d", kind, bookkeepers.Add(1)), router: router, lives: lives})
}

func setUp(t *testing.T, b *bookkeeper) *bookkeeper {
	t.Helper()
	dir := t.TempDir()
	b.ledger, b.manner = filepath.Join(dir, "ledger"), filepath.Join(dir, "manner")
	b.start(t)
	t.Cleanup(func() { b.stop(syscall.SIGKILL) })
	return b
}

func (b *bookkeeper) start(t *testing.T) {
	t.Helper()
	command := []string{chaosBinary, "-name", b.name, "-ledger", b.ledger, "-manner", b.manner}
	ready := "listening on"
	if b.router == "" {
		command = append(command, "-listen", b.address)
	} else {
		command = append(command, "-attach", b.router, "-instance", b.instance())
		ready = "attached to"
	}
	if b.ns != nil {
		// ip turns into the program, so that signals reach that.
		command = append([]string{"ip", "netns", "exec", b.ns.name}, command...)
	}
	p, err := launch(command[0], command[1:]...)
	if err != nil {
		t.Fatalf("start %s: %v", b.name, err)
	}
	b.process = p
	b.await(t, ready, 1)
}

// instance is what it calls itself as a worker.
func (b *bookkeeper) instance() string {
	if b.lives == 0 {
		return b.name
	}
	b.lives++
	return fmt.Sprintf("%s-%d", b.name, b.lives)
}

func (b *bookkeeper) kill() { b.stop(syscall.SIGKILL) }

func (b *bookkeeper) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(b.pid(), s); err != nil {
		t.Fatalf("%v to %s: %v", s, b.name, err)
	}
}

// behave has the process answer in a manner from the next request on; "" is well.
func (b *bookkeeper) behave(t *testing.T, how string) {
	t.Helper()
	writeFile(t, b.manner+".new", how)
	if err := os.Rename(b.manner+".new", b.manner); err != nil {
		t.Fatal(err)
	}
}

// entries returns what is in the ledger.
func (b *bookkeeper) entries(t *testing.T) []ledger.Entry {
	t.Helper()
	entries, err := ledger.Read(b.ledger)
	if err != nil {
		t.Fatalf("the ledger of %s: %v", b.name, err)
	}
	return entries
}

// listed is endpoints as they stand in a configuration.
func listed(endpoints []*bookkeeper) string {
	var items []string
	for _, b := range endpoints {
		items = append(items, fmt.Sprintf("{ url: %q, name: %q }", "http://"+b.address, b.name))
	}
	return "[" + strings.Join(items, ", ") + "]"
}
