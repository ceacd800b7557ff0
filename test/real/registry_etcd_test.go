//go:build real

package real

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/weirproxy/weir/endpoint"
	"github.com/weirproxy/weir/provider"
	"github.com/weirproxy/weir/provider/etcd"
)

// recovery bounds what takes a registry that falls silent to be left, and what comes
// after.
const recovery = time.Minute

// An audience is told by a provider, and keeps what it was told last.
type audience struct {
	leave func() // ends the watch, and waits for it

	mu     sync.Mutex
	set    []string // nil if it was told none yet
	err    error
	errors int
	more   chan struct{} // closed when something is told, and replaced
}

// listen watches until the test ends.
func listen(t *testing.T, p provider.Provider) *audience {
	t.Helper()
	a := &audience{more: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Watch(ctx, a.hear) }()
	a.leave = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Watch returned %v, want nothing", err)
			}
		case <-time.After(patience):
			t.Errorf("Watch did not return within %v after its end", patience)
		}
	})
	t.Cleanup(a.leave)
	return a
}

func (a *audience) hear(u provider.Update) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.err = u.Err
	if u.Err != nil {
		a.errors++
	} else {
		a.set = []string{}
		for _, e := range u.Endpoints {
			a.set = append(a.set, inWords(e))
		}
	}
	close(a.more)
	a.more = make(chan struct{})
}

// inWords writes an endpoint as name@version url and what else there is.
func inWords(e endpoint.Endpoint) string {
	words := e.Name
	if e.Version != "" {
		words += "@" + e.Version
	}
	words += " " + e.Address.String()
	if e.Weight != 0 {
		words += fmt.Sprintf(" weight=%d", e.Weight)
	}
	if e.Concurrency != 0 {
		words += fmt.Sprintf(" concurrency=%d", e.Concurrency)
	}
	if e.Zone != "" {
		words += " zone=" + e.Zone
	}
	if len(e.Labels) > 0 {
		words += fmt.Sprintf(" %v", e.Labels)
	}
	return words
}

// await waits until what was told is right.
func (a *audience) await(t *testing.T, within time.Duration, what string, right func(set []string, err error) bool) {
	t.Helper()
	late := time.After(within)
	for {
		a.mu.Lock()
		set, err, more := a.set, a.err, a.more
		a.mu.Unlock()
		if right(set, err) {
			return
		}
		select {
		case <-more:
		case <-late:
			t.Fatalf("within %v it is not told %s, but %d endpoints %.1000q and the error %v", within, what, len(set), set, err)
		}
	}
}

// has waits for these endpoints, and no outage.
func (a *audience) has(t *testing.T, within time.Duration, want ...string) {
	t.Helper()
	a.await(t, within, fmt.Sprintf("%.1000q", want), func(set []string, err error) bool {
		return set != nil && err == nil && slices.Equal(set, want)
	})
}

// hears waits for an outage whose description has a text in it.
func (a *audience) hears(t *testing.T, within time.Duration, text string) {
	t.Helper()
	a.await(t, within, "of an outage with "+text, func(_ []string, err error) bool {
		return err != nil && strings.Contains(err.Error(), text)
	})
}

// outages is how many it was told.
func (a *audience) outages() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.errors
}

// A diary is a log that is kept.
type diary struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (d *diary) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text.Write(b)
}

func (d *diary) count(text string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Count(d.text.String(), text)
}

func (d *diary) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text.String()
}

func (d *diary) logger() *slog.Logger { return slog.New(slog.NewTextHandler(d, nil)) }

// An etcdServer is a server that can be killed and started again.
type etcdServer struct {
	*process
	dir, address, peers string
	args                []string
}

func newEtcd(t *testing.T, args ...string) *etcdServer {
	t.Helper()
	if _, err := exec.LookPath("etcd"); err != nil {
		t.Fatal("etcd is missing: run scripts/install-registries.sh")
	}
	s := &etcdServer{dir: t.TempDir(), address: vacant(t), peers: vacant(t), args: args}
	s.start(t, s.address)
	return s
}

// start starts it at an address that may be another one than its own.
func (s *etcdServer) start(t *testing.T, address string) {
	t.Helper()
	scheme := "http"
	if slices.Contains(s.args, "--client-cert-auth") {
		scheme = "https"
	}
	s.process = start(t, "etcd", append([]string{
		"--data-dir", s.dir, "--log-level", "warn",
		"--listen-client-urls", scheme + "://" + address, "--advertise-client-urls", scheme + "://" + address,
		"--listen-peer-urls", "http://" + s.peers, "--initial-advertise-peer-urls", "http://" + s.peers,
		"--initial-cluster", "default=http://" + s.peers,
	}, s.args...)...)
	if scheme == "http" {
		s.ready(t, address)
	}
}

// ready waits until the server answers.
func (s *etcdServer) ready(t *testing.T, address string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), recovery)
	defer cancel()
	c := etcdClient(t, address)
	defer c.Close()
	if _, err := c.Get(clientv3.WithRequireLeader(ctx), "/"); err != nil {
		t.Fatalf("etcd does not answer: %v", err)
	}
}

func (s *etcdServer) kill() { s.stop(syscall.SIGKILL) }

// signal freezes or thaws it; a frozen one is thawed at the end, for it could not be
// stopped otherwise.
func (s *etcdServer) signal(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Signal(syscall.SIGCONT) })
}

func etcdClient(t *testing.T, address string) *clientv3.Client {
	t.Helper()
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{"http://" + address}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// put writes key and value, one after the other; again if the cluster loses its leader
// meanwhile.
func put(t *testing.T, c *clientv3.Client, pairs ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), recovery)
	defer cancel()
	for i := 0; i < len(pairs); i += 2 {
		for {
			_, err := c.Put(ctx, pairs[i], pairs[i+1])
			if err == nil {
				break
			}
			if ctx.Err() != nil {
				t.Fatalf("put %s: %v", pairs[i], err)
			}
		}
	}
}

func remove(t *testing.T, c *clientv3.Client, keys ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), recovery)
	defer cancel()
	for _, key := range keys {
		if _, err := c.Delete(ctx, key); err != nil {
			t.Fatalf("delete %s: %v", key, err)
		}
	}
}

// etcdProvider makes a provider of service web.
func etcdProvider(t *testing.T, o etcd.Options, addresses ...string) provider.Provider {
	t.Helper()
	o.Service = "web"
	o.Endpoints = append(o.Endpoints, addresses...)
	p, err := etcd.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEtcd_EndpointsAppearChangeAndGo(t *testing.T) {
	s := newEtcd(t)
	c := etcdClient(t, s.address)
	put(t, c, "/weir/web/a", "http://10.0.0.1:8000", "/weir/webshop/x", "http://10.9.9.9", "/weir/other/x", "http://10.9.9.9")
	a := listen(t, etcdProvider(t, etcd.Options{}, s.address))
	a.has(t, patience, "a http://10.0.0.1:8000")

	put(t, c, "/weir/web/v2/b", `{"url":"https://b.example/base","weight":3,"zone":"eu-1","labels":{"rack":"7"},"concurrency":9}`)
	a.has(t, patience, "a http://10.0.0.1:8000", "b@v2 https://b.example/base weight=3 concurrency=9 zone=eu-1 map[rack:7]")

	put(t, c, "/weir/web/a", "http://10.0.0.2:8000", "/weir/web/v2/a", "http://10.0.0.3:8000")
	a.has(t, patience, "a http://10.0.0.2:8000", "a@v2 http://10.0.0.3:8000", "b@v2 https://b.example/base weight=3 concurrency=9 zone=eu-1 map[rack:7]")

	remove(t, c, "/weir/web/v2/b", "/weir/web/a")
	a.has(t, patience, "a@v2 http://10.0.0.3:8000")
	remove(t, c, "/weir/web/v2/a")
	a.has(t, patience)
	if n := a.outages(); n != 0 {
		t.Errorf("it is told %d outages, want none", n)
	}
}

func TestEtcd_NoKeysAreASetWithoutEndpoints(t *testing.T) {
	s := newEtcd(t)
	listen(t, etcdProvider(t, etcd.Options{Prefix: "elsewhere/"}, "http://"+s.address)).has(t, patience)
}

func TestEtcd_EndpointGoesWithTheLeaseOfWhoRegisteredIt(t *testing.T) {
	s := newEtcd(t)
	c := etcdClient(t, s.address)
	lease, err := c.Grant(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	registrar := start(t, "etcdctl", "--endpoints", "http://"+s.address, "lease", "keep-alive", fmt.Sprintf("%x", lease.ID))
	registrar.await(t, "keepalived", 1)
	if _, err := c.Put(t.Context(), "/weir/web/a", "http://10.0.0.1:8000", clientv3.WithLease(lease.ID)); err != nil {
		t.Fatal(err)
	}
	put(t, c, "/weir/web/b", "http://10.0.0.2:8000")
	a := listen(t, etcdProvider(t, etcd.Options{}, s.address))
	registrar.await(t, "keepalived", 4) // longer than the lease without it
	a.has(t, patience, "a http://10.0.0.1:8000", "b http://10.0.0.2:8000")
	registrar.stop(syscall.SIGKILL)
	a.has(t, recovery, "b http://10.0.0.2:8000")
}

func TestEtcd_OutageIsToldAndWhatChangedMeanwhileIsSeen(t *testing.T) {
	for _, compacted := range []bool{false, true} {
		t.Run(fmt.Sprintf("compacted=%v", compacted), func(t *testing.T) {
			s := newEtcd(t)
			put(t, etcdClient(t, s.address), "/weir/web/a", "http://10.0.0.1:8000", "/weir/web/b", "http://10.0.0.2:8000")
			a := listen(t, etcdProvider(t, etcd.Options{}, s.address))
			a.has(t, patience, "a http://10.0.0.1:8000", "b http://10.0.0.2:8000")
			s.kill()
			a.hears(t, patience, "connection refused")
			a.mu.Lock()
			kept := len(a.set)
			a.mu.Unlock()
			if kept != 2 {
				t.Errorf("after the outage it was told %d endpoints, want none of an empty set", kept)
			}

			// The registry goes on where the provider does not see it.
			elsewhere := vacant(t)
			s.start(t, elsewhere)
			c := etcdClient(t, elsewhere)
			remove(t, c, "/weir/web/a")
			put(t, c, "/weir/web/c", "http://10.0.0.3:8000")
			if compacted {
				compact(t, c)
			}
			s.kill()
			s.start(t, s.address)
			a.has(t, patience, "b http://10.0.0.2:8000", "c http://10.0.0.3:8000")
			put(t, etcdClient(t, s.address), "/weir/web/d", "http://10.0.0.4:8000")
			a.has(t, patience, "b http://10.0.0.2:8000", "c http://10.0.0.3:8000", "d http://10.0.0.4:8000")
		})
	}
}

// compact forgets all revisions but the present one.
func compact(t *testing.T, c *clientv3.Client) {
	t.Helper()
	at, err := c.Get(t.Context(), "x")
	if err == nil {
		_, err = c.Compact(t.Context(), at.Header.Revision, clientv3.WithCompactPhysical())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestEtcd_ServerThatComesLaterIsFound(t *testing.T) {
	s := newEtcd(t)
	put(t, etcdClient(t, s.address), "/weir/web/a", "http://10.0.0.1:8000")
	s.kill()
	a := listen(t, etcdProvider(t, etcd.Options{}, s.address))
	a.hears(t, patience, "connection refused")
	s.start(t, s.address)
	a.has(t, patience, "a http://10.0.0.1:8000")
}

func TestEtcd_ThousandKeysChangedQuicklyEndInTheRightSet(t *testing.T) {
	s := newEtcd(t, "--unsafe-no-fsync=true")
	c := etcdClient(t, s.address)
	a := listen(t, etcdProvider(t, etcd.Options{}, s.address))
	a.has(t, patience)
	const n = 1000
	var writers sync.WaitGroup
	for w := range 20 {
		writers.Go(func() {
			for i := w; i < n; i += 20 {
				key := fmt.Sprintf("/weir/web/e%04d", i)
				for round := range 3 {
					if _, err := c.Put(t.Context(), key, fmt.Sprintf("http://10.0.%d.1:%d", round, 1000+i)); err != nil {
						t.Error(err)
						return
					}
				}
				if i%2 == 0 {
					if _, err := c.Delete(t.Context(), key); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	writers.Wait()
	var want []string
	for i := 1; i < n; i += 2 {
		want = append(want, fmt.Sprintf("e%04d http://10.0.2.1:%d", i, 1000+i))
	}
	a.has(t, patience, want...)
	// Who comes now reads them page by page.
	listen(t, etcdProvider(t, etcd.Options{}, s.address)).has(t, patience, want...)
}

func TestEtcd_EntryThatCannotBeReadIsLeftOutAndLoggedOnce(t *testing.T) {
	s := newEtcd(t)
	c := etcdClient(t, s.address)
	put(
		t, c, "/weir/web/a", "http://10.0.0.1:8000", "/weir/web/bad", "{", "/weir/web/worse", "10.0.0.1:80",
		"/weir/web", "not ours", "/weir/web-admin/x", "not ours", "/weir/web0", "not ours",
		"/weir/web/v1/too/deep", "http://10.0.0.1", "/weir/web/large", `{"url":"http://10.0.0.1","x":"`+strings.Repeat("y", etcd.MaxValue)+`"}`,
	)
	var log diary
	a := listen(t, etcdProvider(t, etcd.Options{Log: log.logger(), Resync: 200 * time.Millisecond}, s.address))
	a.has(t, patience, "a http://10.0.0.1:8000")
	put(t, c, "/weir/web/b", "http://10.0.0.2:8000")
	a.has(t, patience, "a http://10.0.0.1:8000", "b http://10.0.0.2:8000")
	put(t, c, "/weir/web/a", "http://10.0.0.3:8000")
	a.has(t, patience, "a http://10.0.0.3:8000", "b http://10.0.0.2:8000")
	for _, key := range []string{"/weir/web/bad", "/weir/web/worse", "/weir/web/v1/too/deep", "/weir/web/large"} {
		if n := log.count("key=" + key + " "); n != 1 {
			t.Errorf("the log has %s %d times, want once:\n%s", key, n, &log)
		}
	}
	if n := log.count("left out"); n != 4 {
		t.Errorf("the log has %d entries that are left out, want the 4 of this service:\n%s", n, &log)
	}
	put(t, c, "/weir/web/bad", "http://10.0.0.4:8000")
	a.has(t, patience, "a http://10.0.0.3:8000", "b http://10.0.0.2:8000", "bad http://10.0.0.4:8000")
	put(t, c, "/weir/web/bad", "")
	a.has(t, patience, "a http://10.0.0.3:8000", "b http://10.0.0.2:8000")
	if n := log.count("key=/weir/web/bad "); n != 2 {
		t.Errorf("the log has the key %d times after it was wrong for the second time, want 2:\n%s", n, &log)
	}
}

func TestEtcd_WrongPasswordAndMissingRightsAreTold(t *testing.T) {
	s := newEtcd(t)
	c := etcdClient(t, s.address)
	put(t, c, "/weir/web/a", "http://10.0.0.1:8000")
	ctl := func(args ...string) { etcdctl(t, append([]string{"--endpoints", "http://" + s.address}, args...)...) }
	for _, args := range [][]string{
		{"user", "add", "root:secret"},
		{"user", "grant-role", "root", "root"},
		{"user", "add", "weir:old"},
		{"role", "add", "reader"},
		{"user", "grant-role", "weir", "reader"},
		{"auth", "enable"},
	} {
		ctl(args...)
	}
	a := listen(t, etcdProvider(t, etcd.Options{User: "weir", Password: "new"}, s.address))
	a.hears(t, patience, "authentication failed")
	root := func(args ...string) { ctl(append([]string{"--user", "root:secret"}, args...)...) }
	root("user", "delete", "weir")
	root("user", "add", "weir:new")
	root("user", "grant-role", "weir", "reader")
	a.hears(t, patience, "permission denied")
	root("role", "grant-permission", "reader", "read", "/weir/", "--prefix=true")
	a.has(t, patience, "a http://10.0.0.1:8000")
	root("put", "/weir/web/b", "http://10.0.0.2:8000")
	a.has(t, patience, "a http://10.0.0.1:8000", "b http://10.0.0.2:8000")

	listen(t, etcdProvider(t, etcd.Options{}, s.address)).hears(t, patience, "user name is empty")
}

// etcdctl runs the command until it works: right after a change to rights the server
// may ask to try again.
func etcdctl(t *testing.T, args ...string) {
	t.Helper()
	for late := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		out, err := exec.Command("etcdctl", args...).CombinedOutput()
		if err == nil {
			return
		}
		if time.Now().After(late) {
			t.Fatalf("etcdctl %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

func TestEtcd_IsSpokenToOverMutualTLS(t *testing.T) {
	ca := newAuthority(t)
	address := vacant(t)
	host, _, _ := net.SplitHostPort(address)
	server, client := ca.issue(t, host), ca.issue(t, "weir.example.com")
	s := &etcdServer{dir: t.TempDir(), address: address, peers: vacant(t), args: []string{
		"--cert-file", server.cert, "--key-file", server.key, "--trusted-ca-file", ca.file, "--client-cert-auth",
	}}
	s.start(t, address)
	secure := etcd.Options{CA: ca.file, Cert: client.cert, Key: client.key}
	a := listen(t, etcdProvider(t, secure, address))
	a.has(t, recovery)
	etcdctl(t, "--endpoints", "https://"+address, "--cacert", ca.file, "--cert", client.cert, "--key", client.key,
		"put", "/weir/web/a", "http://10.0.0.1:8000")
	a.has(t, patience, "a http://10.0.0.1:8000")

	stranger := listen(t, etcdProvider(t, etcd.Options{CA: newAuthority(t).file}, address))
	stranger.hears(t, patience, "unknown authority")
	anonymous := listen(t, etcdProvider(t, etcd.Options{CA: ca.file}, address))
	anonymous.hears(t, patience, "") // of a certificate, or of a connection that ends for the lack of one
}

// A cluster is three servers.
func newEtcdCluster(t *testing.T) (members [3]*etcdServer) {
	t.Helper()
	var all []string
	for i := range members {
		members[i] = &etcdServer{dir: filepath.Join(t.TempDir(), "data"), address: vacant(t), peers: vacant(t)}
		all = append(all, fmt.Sprintf("m%d=http://%s", i, members[i].peers))
	}
	for i, m := range members {
		m.process = start(t, "etcd", "--name", fmt.Sprintf("m%d", i), "--data-dir", m.dir, "--log-level", "warn",
			"--listen-client-urls", "http://"+m.address, "--advertise-client-urls", "http://"+m.address,
			"--listen-peer-urls", "http://"+m.peers, "--initial-advertise-peer-urls", "http://"+m.peers,
			"--initial-cluster", strings.Join(all, ","))
	}
	for _, m := range members {
		m.ready(t, m.address)
	}
	return members
}

func TestEtcd_MemberThatIsCutOffIsNoQuietRegistry(t *testing.T) {
	t.Parallel()
	members := newEtcdCluster(t)
	c := etcdClient(t, members[1].address)
	put(t, c, "/weir/web/a", "http://10.0.0.1:8000")
	all := listen(t, etcdProvider(t, etcd.Options{}, members[0].address, members[1].address, members[2].address))
	one := listen(t, etcdProvider(t, etcd.Options{}, members[0].address))
	all.has(t, patience, "a http://10.0.0.1:8000")
	one.has(t, patience, "a http://10.0.0.1:8000")

	members[0].signal(t, syscall.SIGSTOP)
	put(t, c, "/weir/web/b", "http://10.0.0.2:8000")
	all.has(t, recovery, "a http://10.0.0.1:8000", "b http://10.0.0.2:8000")
	one.hears(t, recovery, "no answer")
	members[0].signal(t, syscall.SIGCONT)
	one.has(t, patience, "a http://10.0.0.1:8000", "b http://10.0.0.2:8000")

	// Alone it is there, and knows nothing.
	members[1].kill()
	members[2].kill()
	one.hears(t, recovery, "")
	all.hears(t, recovery, "")
}

func TestEtcd_SilentWatchIsNotTrusted(t *testing.T) {
	s := newEtcd(t)
	c := etcdClient(t, s.address)
	put(t, c, "/weir/web/a", "http://10.0.0.1:8000")
	a := listen(t, etcdProvider(t, etcd.Options{Resync: time.Second}, impaired(t, s.address, 0)))
	a.has(t, patience, "a http://10.0.0.1:8000")
	put(t, c, "/weir/web/b", "http://10.0.0.2:8000")
	a.has(t, patience, "a http://10.0.0.1:8000", "b http://10.0.0.2:8000")
}

func TestEtcd_CompactionUnderTheWatchIsNoOutage(t *testing.T) {
	s := newEtcd(t)
	c := etcdClient(t, s.address)
	put(t, c, "/weir/web/a", "http://10.0.0.1:8000")
	a := listen(t, etcdProvider(t, etcd.Options{Resync: time.Hour}, impaired(t, s.address, 1)))
	a.has(t, patience, "a http://10.0.0.1:8000")
	put(t, c, "/weir/web/b", "http://10.0.0.2:8000")
	a.has(t, recovery, "a http://10.0.0.1:8000", "b http://10.0.0.2:8000")
	if n := a.outages(); n != 0 {
		t.Errorf("it is told %d outages, want none", n)
	}
}

// impaired passes questions on to a server. Its watches never say that anything
// changes; if they are compacted, they end at once.
func impaired(t *testing.T, address string, compacted int64) (at string) {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.57.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer()
	pb.RegisterKVServer(g, passingKV{kv: pb.NewKVClient(conn)})
	pb.RegisterWatchServer(g, muteWatch{compacted: compacted})
	go func() { _ = g.Serve(l) }()
	t.Cleanup(func() { g.Stop(); _ = conn.Close() })
	return l.Addr().String()
}

type passingKV struct {
	pb.UnimplementedKVServer
	kv pb.KVClient
}

func (m passingKV) Range(ctx context.Context, r *pb.RangeRequest) (*pb.RangeResponse, error) {
	return m.kv.Range(ctx, r)
}

type muteWatch struct {
	pb.UnimplementedWatchServer
	compacted int64
}

func (m muteWatch) Watch(w pb.Watch_WatchServer) error {
	for id := int64(1); ; id++ {
		r, err := w.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if r.GetCreateRequest() == nil {
			continue
		}
		if err := w.Send(&pb.WatchResponse{Header: &pb.ResponseHeader{}, WatchId: id, Created: true}); err != nil {
			return err
		}
		if m.compacted > 0 {
			if err := w.Send(&pb.WatchResponse{Header: &pb.ResponseHeader{}, WatchId: id, Canceled: true, CompactRevision: m.compacted}); err != nil {
				return err
			}
		}
	}
}

func TestEtcd_EndOfWatchLeavesNoGoroutine(t *testing.T) {
	s := newEtcd(t)
	before := goleak.IgnoreCurrent()
	a := listen(t, etcdProvider(t, etcd.Options{}, s.address))
	a.has(t, patience)
	a.leave()
	goleak.VerifyNone(t, before)

	s.kill()
	a = listen(t, etcdProvider(t, etcd.Options{}, s.address))
	a.hears(t, patience, "connection refused")
	a.leave()
	goleak.VerifyNone(t, before)
}
