//go:build real

package real

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/weirproxy/weir/provider"
	"github.com/weirproxy/weir/provider/dns"
)

// A knotServer is a DNS server for the zone example, that can be killed and started
// again.
type knotServer struct {
	*process
	dir, address string
	serial       int
}

func newKnot(t *testing.T, records ...string) *knotServer {
	t.Helper()
	if _, err := exec.LookPath("knotd"); err != nil {
		t.Fatal("knotd is missing: run scripts/install-registries.sh")
	}
	// A path that is short enough for the socket of the control.
	dir, err := os.MkdirTemp("", "weir-knot-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &knotServer{dir: dir, address: vacant(t)}
	host, port, _ := net.SplitHostPort(s.address)
	s.file(t, "knot.conf", fmt.Sprintf(`
server:
    listen: %s@%s
    rundir: %q
log:
  - target: stderr
    any: info
database:
    storage: %[3]q
control:
    listen: %[4]q
template:
  - id: default
    storage: %[3]q
    zonefile-sync: -1
    journal-content: none
    semantic-checks: off
    zonefile-load: whole
zone:
  - domain: example.
    file: example.zone
`, host, port, dir, s.socket()))
	s.write(t, records...)
	s.start(t)
	return s
}

func (s *knotServer) socket() string { return filepath.Join(s.dir, "control") }

func (s *knotServer) file(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// write writes the file of the zone.
func (s *knotServer) write(t *testing.T, records ...string) {
	t.Helper()
	s.serial++
	begin := fmt.Sprintf("$ORIGIN example.\n@ 2 SOA ns.example. root.example. %d 3600 600 86400 2\n@ 60 NS ns.example.\nns 60 A 127.0.57.1\n", s.serial)
	s.file(t, "example.zone", begin+strings.Join(records, "\n")+"\n")
}

// says has the running server answer with these records.
func (s *knotServer) says(t *testing.T, records ...string) {
	t.Helper()
	s.write(t, records...)
	output(t, "knotc", "-s", s.socket(), "-b", "zone-reload", "example.")
}

func (s *knotServer) start(t *testing.T) {
	t.Helper()
	_ = os.Remove(s.socket())
	s.process = start(t, "knotd", "-c", filepath.Join(s.dir, "knot.conf"))
	s.await(t, "server started", 1)
	for late := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		out, err := exec.Command("knotc", "-s", s.socket(), "status").CombinedOutput()
		if err == nil {
			return
		}
		if time.Now().After(late) {
			t.Fatalf("knotd does not answer: %v\n%s", err, out)
		}
	}
}

// signal freezes or thaws it; a frozen one is thawed at the end, for it could not be
// stopped otherwise.
func (s *knotServer) signal(t *testing.T, signal syscall.Signal) {
	t.Helper()
	p := s.cmd.Process
	if err := p.Signal(signal); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Signal(syscall.SIGCONT) })
}

func (s *knotServer) kill() { s.stop(syscall.SIGKILL) }

// dnsProvider makes a provider that asks these servers.
func dnsProvider(t *testing.T, o dns.Options, servers ...string) provider.Provider {
	t.Helper()
	o.Servers = servers
	p, err := dns.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestDNS_AddressesAppearChangeAndGo(t *testing.T) {
	t.Parallel()
	s := newKnot(t, "web 1 A 10.0.0.1", "other 1 A 10.9.9.9")
	a := listen(t, dnsProvider(t, dns.Options{Name: "web.example", Port: 8080, Timeout: patience}, s.address))
	a.has(t, patience, "http://10.0.0.1:8080 http://10.0.0.1:8080 weight=1")
	s.says(t, "web 1 A 10.0.0.2", "web 1 A 10.0.0.1", "web 1 AAAA 2001:db8::1")
	a.has(
		t, patience, "http://10.0.0.1:8080 http://10.0.0.1:8080 weight=1", "http://10.0.0.2:8080 http://10.0.0.2:8080 weight=1",
		"http://[2001:db8::1]:8080 http://[2001:db8::1]:8080 weight=1",
	)
	s.says(t, "web 1 CNAME app", "app 1 CNAME host", "host 1 AAAA 2001:db8::2")
	a.has(t, patience, "http://[2001:db8::2]:8080 http://[2001:db8::2]:8080 weight=1")
	if n := a.outages(); n != 0 {
		t.Errorf("it is told %d outages, want none", n)
	}
	s.says(t) // the name does not exist any more
	a.hears(t, patience, "three times")
	a.has(t, recovery)
	s.says(t, "web 1 TXT nothing", "web 1 A 10.0.0.3")
	a.has(t, patience, "http://10.0.0.3:8080 http://10.0.0.3:8080 weight=1")
	s.says(t, "web 1 TXT nothing") // the name exists, and has no addresses
	a.has(t, recovery)
}

func TestDNS_ServicesAppearChangeAndGo(t *testing.T) {
	t.Parallel()
	s := newKnot(
		t, "_http._tcp.web 1 SRV 10 3 8001 a", "_http._tcp.web 1 SRV 10 1 8002 b", "_http._tcp.web 1 SRV 20 1 8003 b",
		"a 1 A 10.0.0.1", "b 1 A 10.0.0.2",
	)
	a := listen(t, dnsProvider(t, dns.Options{Name: "_http._tcp.web.example", SRV: true, Scheme: "https"}, s.address))
	a.has(t, patience, "https://10.0.0.1:8001 https://10.0.0.1:8001 weight=3", "https://10.0.0.2:8002 https://10.0.0.2:8002 weight=1")
	s.says(t, "_http._tcp.web 1 SRV 10 3 8001 a", "_http._tcp.web 1 SRV 20 1 8003 b", "b 1 A 10.0.0.2")
	a.has(t, patience, "https://10.0.0.2:8003 https://10.0.0.2:8003 weight=1")
	s.says(t, "_http._tcp.web 1 SRV 0 0 0 .")
	a.has(t, recovery)
}

func TestDNS_ChangeAppearsAfterTheTTL(t *testing.T) {
	s := newKnot(t, "web 4 A 10.0.0.1")
	began := time.Now()
	a := listen(t, dnsProvider(t, dns.Options{Name: "web.example", Type: "a"}, s.address))
	a.has(t, patience, "http://10.0.0.1 http://10.0.0.1 weight=1")
	s.says(t, "web 4 A 10.0.0.2")
	a.has(t, patience, "http://10.0.0.2 http://10.0.0.2 weight=1")
	if took := time.Since(began); took < 4*time.Second {
		t.Errorf("a change was seen %v after the first question, within the TTL of 4s", took)
	}
}

func TestDNS_ServerThatIsKilledTakesNothingAway(t *testing.T) {
	t.Parallel()
	s := newKnot(t, "web 1 A 10.0.0.1", "web 1 A 10.0.0.2")
	a := listen(t, dnsProvider(t, dns.Options{Name: "web.example", Timeout: time.Second}, s.address))
	both := []string{"http://10.0.0.1 http://10.0.0.1 weight=1", "http://10.0.0.2 http://10.0.0.2 weight=1"}
	a.has(t, patience, both...)
	for range 2 {
		s.kill()
		a.hears(t, patience, "connection refused")
		a.mu.Lock()
		kept := a.set
		a.mu.Unlock()
		if !slices.Equal(kept, both) {
			t.Errorf("in the outage it was told the set %q", kept)
		}
		s.start(t)
		a.has(t, patience, both...)
	}
	s.kill()
	s.write(t, "web 1 A 10.0.0.2", "web 1 A 10.0.0.3")
	s.start(t)
	a.has(t, patience, both[1], "http://10.0.0.3 http://10.0.0.3 weight=1")

	// It stands still, then has no zone.
	s.signal(t, syscall.SIGSTOP)
	a.hears(t, patience, "no answer within 1s")
	s.signal(t, syscall.SIGCONT)
	a.has(t, patience, both[1], "http://10.0.0.3 http://10.0.0.3 weight=1")
	s.kill()
	s.file(t, "example.zone", "nonsense")
	s.start(t)
	a.hears(t, patience, "SERVFAIL")
	listen(t, dnsProvider(t, dns.Options{Name: "web.elsewhere"}, s.address)).hears(t, patience, "REFUSED")
	s.says(t, "web 1 A 10.0.0.4")
	a.has(t, patience, "http://10.0.0.4 http://10.0.0.4 weight=1")
}

func TestDNS_NextServerIsAskedWhenOneIsAway(t *testing.T) {
	away, s := vacant(t), newKnot(t, "web 1 A 10.0.0.1")
	a := listen(t, dnsProvider(t, dns.Options{Name: "web.example", Timeout: patience}, away, s.address))
	a.has(t, patience, "http://10.0.0.1 http://10.0.0.1 weight=1")
	if n := a.outages(); n != 0 {
		t.Errorf("it is told %d outages, want none", n)
	}
}

func TestDNS_LongAnswerIsReadOverTCP(t *testing.T) {
	var records, want []string
	for i := range 200 {
		records = append(records, fmt.Sprintf("web 1 A 10.0.0.%d", i+1), fmt.Sprintf("_http._tcp.web 1 SRV 10 1 %d target%d", 1000+i, i%20), fmt.Sprintf("target%d 1 A 10.0.1.%d", i%20, i%20))
		want = append(want, fmt.Sprintf("http://10.0.0.%d http://10.0.0.%[1]d weight=1", i+1))
	}
	slices.Sort(want)
	s := newKnot(t, records...)
	listen(t, dnsProvider(t, dns.Options{Name: "web.example"}, s.address)).has(t, patience, want...)
	listen(t, dnsProvider(t, dns.Options{Name: "_http._tcp.web.example", SRV: true}, s.address)).await(t, patience, "of 200 endpoints", func(set []string, err error) bool {
		return err == nil && len(set) == 200
	})
}

func TestDNS_ResolverThatKeepsAnswersIsAskedWhenTheyExpire(t *testing.T) {
	t.Parallel()
	s := newKnot(t, "web 4 A 10.0.0.1", "_http._tcp.web 2 SRV 10 1 8001 a", "a 2 A 10.0.0.1")
	resolver := startUnbound(t, s.address)
	a := listen(t, dnsProvider(t, dns.Options{Name: "web.example", Port: 80}, resolver))
	b := listen(t, dnsProvider(t, dns.Options{Name: "_http._tcp.web.example", SRV: true}, resolver))
	a.has(t, recovery, "http://10.0.0.1 http://10.0.0.1 weight=1")
	b.has(t, recovery, "http://10.0.0.1:8001 http://10.0.0.1:8001 weight=1")
	s.says(t, "web 4 A 10.0.0.2", "_http._tcp.web 2 SRV 10 1 8002 a", "a 2 A 10.0.0.2")
	a.has(t, recovery, "http://10.0.0.2 http://10.0.0.2 weight=1")
	b.has(t, recovery, "http://10.0.0.2:8002 http://10.0.0.2:8002 weight=1")

	// What it keeps, it answers without the server; then it fails.
	s.kill()
	a.hears(t, 2*recovery, "")
	s.start(t)
	a.has(t, 2*recovery, "http://10.0.0.2 http://10.0.0.2 weight=1")
}

// startUnbound starts a resolver that asks a server for the zone example.
func startUnbound(t *testing.T, server string) (address string) {
	t.Helper()
	address = vacant(t)
	file := filepath.Join(t.TempDir(), "unbound.conf")
	text := fmt.Sprintf(`
server:
    interface: %s
    access-control: 127.0.0.0/8 allow
    do-daemonize: no
    use-syslog: no
    username: ""
    chroot: ""
    directory: ""
    pidfile: ""
    module-config: "iterator"
    do-not-query-localhost: no
    infra-cache-max-rtt: 1000
    infra-host-ttl: 1
    num-threads: 1
    verbosity: 1
remote-control:
    control-enable: no
stub-zone:
    name: example.
    stub-addr: %s
`, strings.Replace(address, ":", "@", 1), strings.Replace(server, ":", "@", 1))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, "unbound", "-d", "-c", file).await(t, "start of service", 1)
	return address
}

func TestDNS_EndOfWatchLeavesNoGoroutine(t *testing.T) {
	s := newKnot(t, "web 1 A 10.0.0.1")
	before := goleak.IgnoreCurrent()
	a := listen(t, dnsProvider(t, dns.Options{Name: "web.example"}, s.address))
	a.has(t, patience, "http://10.0.0.1 http://10.0.0.1 weight=1")
	s.kill()
	a.hears(t, patience, "connection refused")
	a.leave()
	goleak.VerifyNone(t, before)
}
