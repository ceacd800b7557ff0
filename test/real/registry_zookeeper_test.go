//go:build real

package real

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	"go.uber.org/goleak"

	"github.com/weirproxy/weir/provider"
	"github.com/weirproxy/weir/provider/zookeeper"
)

const zookeeperJar = "/usr/share/java/zookeeper.jar"

// A zooServer is a server that can be killed and started again.
type zooServer struct {
	*process
	dir, address string
	members      string // of the ensemble, as the server's configuration has them
}

func newZooKeeper(t *testing.T) *zooServer {
	t.Helper()
	s := &zooServer{dir: t.TempDir(), address: vacant(t)}
	s.start(t, s.address)
	s.ready(t, s.address)
	return s
}

// start starts it at an address that may be another one than its own. A tick of half a
// second lets sessions be as short as a second.
func (s *zooServer) start(t *testing.T, address string) {
	t.Helper()
	if _, err := os.Stat(zookeeperJar); err != nil {
		t.Fatal("ZooKeeper is missing: run scripts/install-registries.sh")
	}
	host, port, _ := net.SplitHostPort(address)
	config := filepath.Join(s.dir, "zoo.cfg")
	writeFile(t, config, fmt.Sprintf("tickTime=500\ninitLimit=40\nsyncLimit=10\ndataDir=%s\nclientPortAddress=%s\nclientPort=%s\nadmin.enableServer=false\nmaxClientCnxns=0\n%s",
		s.dir, host, port, s.members))
	s.process = start(t, "java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", zookeeperJar,
		"org.apache.zookeeper.server.quorum.QuorumPeerMain", config)
}

// ready waits until the server serves. A client that comes too early may be accepted and
// forgotten, so none is sent before.
func (s *zooServer) ready(t *testing.T, address string) {
	t.Helper()
	for late := time.Now().Add(recovery); ; time.Sleep(50 * time.Millisecond) {
		if strings.Contains(askZooKeeper(address, "srvr"), "Mode:") {
			return
		}
		if time.Now().After(late) {
			t.Fatalf("ZooKeeper does not answer:\n%s", strings.Join(s.lines(), "\n"))
		}
	}
}

// askZooKeeper sends a word of four letters and returns the answer.
func askZooKeeper(address, word string) string {
	c, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return ""
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Second))
	_, _ = io.WriteString(c, word)
	answer, _ := io.ReadAll(c)
	return string(answer)
}

func (s *zooServer) kill() { s.stop(syscall.SIGKILL) }

// signal freezes or thaws it; a frozen one is thawed at the end, for it could not be
// stopped otherwise.
func (s *zooServer) signal(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Signal(syscall.SIGCONT) })
}

func zooClient(t *testing.T, address string) *zk.Conn {
	t.Helper()
	c, _, err := zk.Connect([]string{address}, 10*time.Second, zk.WithLogInfo(false), zk.WithLogger(silent{}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

type silent struct{}

func (silent) Printf(string, ...any) {}

var everybody = zk.WorldACL(zk.PermAll)

// write creates nodes with their parents, or changes them: path and data, one after
// the other.
func write(t *testing.T, c *zk.Conn, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if err := writeNode(c, pairs[i], pairs[i+1]); err != nil {
			t.Fatalf("write %s: %v", pairs[i], err)
		}
	}
}

func writeNode(c *zk.Conn, node, data string) error {
	_, err := c.Set(node, []byte(data), -1)
	if !errors.Is(err, zk.ErrNoNode) {
		return err
	}
	if _, err = c.Create(node, []byte(data), 0, everybody); !errors.Is(err, zk.ErrNoNode) {
		return err
	}
	if err := writeNode(c, path.Dir(node), ""); err != nil {
		return err
	}
	_, err = c.Create(node, []byte(data), 0, everybody)
	return err
}

func erase(t *testing.T, c *zk.Conn, nodes ...string) {
	t.Helper()
	for _, node := range nodes {
		if err := c.Delete(node, -1); err != nil {
			t.Fatalf("delete %s: %v", node, err)
		}
	}
}

// zooProvider makes a provider of service web.
func zooProvider(t *testing.T, o zookeeper.Options, addresses ...string) provider.Provider {
	t.Helper()
	o.Service = "web"
	o.Servers = append(o.Servers, addresses...)
	p, err := zookeeper.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestZooKeeper_EndpointsAppearChangeAndGo(t *testing.T) {
	s := newZooKeeper(t)
	a := listen(t, zooProvider(t, zookeeper.Options{}, s.address))
	a.has(t, patience) // there is no such path

	c := zooClient(t, s.address)
	write(t, c, "/weir/web/a", "http://10.0.0.1:8000", "/weir/webshop/x", "http://10.9.9.9")
	a.has(t, patience, "a http://10.0.0.1:8000")
	write(t, c, "/weir/web/v2/b", `{"url":"https://b.example/base","weight":3,"zone":"eu-1","labels":{"rack":"7"},"concurrency":9}`)
	a.has(t, patience, "a http://10.0.0.1:8000", "b@v2 https://b.example/base weight=3 concurrency=9 zone=eu-1 map[rack:7]")

	write(t, c, "/weir/web/a", "http://10.0.0.2:8000", "/weir/web/v2/a", "http://10.0.0.3:8000")
	a.has(t, patience, "a http://10.0.0.2:8000", "a@v2 http://10.0.0.3:8000", "b@v2 https://b.example/base weight=3 concurrency=9 zone=eu-1 map[rack:7]")

	erase(t, c, "/weir/web/v2/b", "/weir/web/a")
	a.has(t, patience, "a@v2 http://10.0.0.3:8000")
	write(t, c, "/weir/web/v2/a", "http://10.0.0.4:8000") // and changes later are seen, too
	a.has(t, patience, "a@v2 http://10.0.0.4:8000")
	erase(t, c, "/weir/web/v2/a")
	a.has(t, patience)
	erase(t, c, "/weir/web/v2", "/weir/web")
	write(t, c, "/weir/web/v2/a", "http://10.0.0.5:8000")
	a.has(t, patience, "a@v2 http://10.0.0.5:8000")
	if n := a.outages(); n != 0 {
		t.Errorf("it is told %d outages, want none", n)
	}
}

func TestZooKeeper_EndpointGoesWithTheSessionOfWhoRegisteredIt(t *testing.T) {
	s := newZooKeeper(t)
	write(t, zooClient(t, s.address), "/weir/web/b", "http://10.0.0.2:8000")
	a := listen(t, zooProvider(t, zookeeper.Options{}, s.address))
	registrar := exec.Command("java", "-XX:TieredStopAtLevel=1", "-cp", zookeeperJar, "org.apache.zookeeper.ZooKeeperMain", "-timeout", "2000", "-server", s.address)
	commands, err := registrar.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := registrar.Start(); err != nil {
		t.Fatal(err)
	}
	kill := sync.OnceFunc(func() {
		_ = registrar.Process.Kill()
		_ = registrar.Wait()
	})
	defer kill()
	if _, err := io.WriteString(commands, "create -e /weir/web/a http://10.0.0.1:8000\n"); err != nil {
		t.Fatal(err)
	}
	a.has(t, recovery, "a http://10.0.0.1:8000", "b http://10.0.0.2:8000")
	kill()
	a.has(t, recovery, "b http://10.0.0.2:8000")
}

func TestZooKeeper_OutageIsToldAndWhatChangedMeanwhileIsSeen(t *testing.T) {
	s := newZooKeeper(t)
	write(t, zooClient(t, s.address), "/weir/web/a", "http://10.0.0.1:8000", "/weir/web/v1/b", "http://10.0.0.2:8000")
	a := listen(t, zooProvider(t, zookeeper.Options{}, s.address))
	a.has(t, patience, "a http://10.0.0.1:8000", "b@v1 http://10.0.0.2:8000")
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
	s.ready(t, elsewhere)
	c := zooClient(t, elsewhere)
	erase(t, c, "/weir/web/a")
	write(t, c, "/weir/web/v1/b", "http://10.0.0.3:8000", "/weir/web/v1/c", "http://10.0.0.4:8000")
	c.Close()
	s.kill()
	s.start(t, s.address)
	a.has(t, recovery, "b@v1 http://10.0.0.3:8000", "c@v1 http://10.0.0.4:8000")
	write(t, zooClient(t, s.address), "/weir/web/v1/d", "http://10.0.0.5:8000")
	a.has(t, patience, "b@v1 http://10.0.0.3:8000", "c@v1 http://10.0.0.4:8000", "d@v1 http://10.0.0.5:8000")
}

func TestZooKeeper_ServerThatFreezesIsTold_AndItsSessionIsNotNeeded(t *testing.T) {
	t.Parallel()
	s := newZooKeeper(t)
	write(t, zooClient(t, s.address), "/weir/web/a", "http://10.0.0.1:8000")
	a := listen(t, zooProvider(t, zookeeper.Options{Session: 2 * time.Second}, s.address))
	a.has(t, patience, "a http://10.0.0.1:8000")
	b := listen(t, zooProvider(t, zookeeper.Options{Session: 2 * time.Second}, s.address))
	b.has(t, patience, "a http://10.0.0.1:8000")
	s.signal(t, syscall.SIGSTOP)
	b.leave() // it does not wait for the server
	a.hears(t, recovery, "no session within")
	s.signal(t, syscall.SIGCONT)
	c := zooClient(t, s.address)
	write(t, c, "/weir/web/b", "http://10.0.0.2:8000")
	a.has(t, recovery, "a http://10.0.0.1:8000", "b http://10.0.0.2:8000")
	write(t, c, "/weir/web/a", "http://10.0.0.3:8000")
	a.has(t, patience, "a http://10.0.0.3:8000", "b http://10.0.0.2:8000")
}

func TestZooKeeper_OneServerOfSeveralThatWorksIsEnough(t *testing.T) {
	s := newZooKeeper(t)
	write(t, zooClient(t, s.address), "/weir/web/a", "http://10.0.0.1:8000")
	web := serve(t, nil) // speaks, but not ZooKeeper
	mute, err := net.Listen("tcp", "127.0.57.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	servers := []string{strings.TrimPrefix(web, "http://"), mute.Addr().String(), vacant(t), s.address}
	listen(t, zooProvider(t, zookeeper.Options{}, servers...)).has(t, recovery, "a http://10.0.0.1:8000")

	none := listen(t, zooProvider(t, zookeeper.Options{}, servers[:3]...))
	none.hears(t, recovery, "no session within")
	none.hears(t, recovery, "connection refused")
	none.hears(t, recovery, servers[0])
}

// newEnsemble is three servers.
func newEnsemble(t *testing.T) (all [3]*zooServer) {
	t.Helper()
	members := ""
	for i := range all {
		all[i] = &zooServer{dir: t.TempDir(), address: vacant(t)}
		host, quorum, _ := net.SplitHostPort(vacant(t))
		_, election, _ := net.SplitHostPort(vacant(t))
		members += fmt.Sprintf("server.%d=%s:%s:%s\n", i+1, host, quorum, election)
	}
	for i, s := range all {
		s.members = members
		writeFile(t, filepath.Join(s.dir, "myid"), fmt.Sprint(i+1))
		s.start(t, s.address)
	}
	for _, s := range all {
		s.ready(t, s.address)
	}
	return all
}

func TestZooKeeper_LossOfOneServerOfThreeLosesNothing(t *testing.T) {
	t.Parallel()
	all := newEnsemble(t)
	addresses := []string{all[0].address, all[1].address, all[2].address}
	c := zooClient(t, strings.Join(addresses[1:2], ","))
	write(t, c, "/weir/web/a", "http://10.0.0.1:8000")
	one := listen(t, zooProvider(t, zookeeper.Options{}, addresses[0]))
	one.has(t, patience, "a http://10.0.0.1:8000")
	several := make([]*audience, 6) // whoever of the three they meet
	for i := range several {
		several[i] = listen(t, zooProvider(t, zookeeper.Options{}, addresses...))
		several[i].has(t, patience, "a http://10.0.0.1:8000")
	}
	all[0].kill()
	one.hears(t, recovery, "connection refused")
	for late := time.Now().Add(recovery); ; time.Sleep(100 * time.Millisecond) {
		err := writeNode(c, "/weir/web/b", "http://10.0.0.2:8000")
		if err == nil {
			break
		}
		if time.Now().After(late) {
			t.Fatalf("two of three servers take no node: %v", err)
		}
	}
	for _, a := range several {
		a.has(t, recovery, "a http://10.0.0.1:8000", "b http://10.0.0.2:8000")
	}

	// Alone, the last one knows nothing.
	all[1].kill()
	for _, a := range several {
		a.hears(t, recovery, "")
	}
}

func TestZooKeeper_ThousandNodesChangedQuicklyEndInTheRightSet(t *testing.T) {
	s := newZooKeeper(t)
	c := zooClient(t, s.address)
	a := listen(t, zooProvider(t, zookeeper.Options{}, s.address))
	a.has(t, patience)
	write(t, c, "/weir/web", "")
	const n = 1000
	var writers sync.WaitGroup
	for w := range 20 {
		writers.Go(func() {
			for i := w; i < n; i += 20 {
				if err := flutter(c, fmt.Sprintf("/weir/web/e%04d", i), i); err != nil {
					t.Errorf("node %d: %v", i, err)
					return
				}
			}
		})
	}
	writers.Wait()
	var want []string
	for i := 1; i < n; i += 2 {
		want = append(want, fmt.Sprintf("e%04d http://10.0.1.1:%d", i, 1000+i))
	}
	a.has(t, recovery, want...)
	listen(t, zooProvider(t, zookeeper.Options{}, s.address)).has(t, recovery, want...)
}

// flutter creates a node, takes it away, creates and changes it, and takes it away again
// if it is an even one. Every third is ephemeral.
func flutter(c *zk.Conn, node string, i int) error {
	flags := int32(0)
	if i%3 == 0 {
		flags = zk.FlagEphemeral
	}
	data := func(round int) []byte { return fmt.Appendf(nil, "http://10.0.%d.1:%d", round, 1000+i) }
	for range 2 {
		if _, err := c.Create(node, data(0), flags, everybody); err != nil {
			return err
		}
		if _, err := c.Set(node, data(1), -1); err != nil {
			return err
		}
		if err := c.Delete(node, -1); err != nil {
			return err
		}
	}
	if i%2 == 0 {
		return nil
	}
	if _, err := c.Create(node, data(0), flags, everybody); err != nil {
		return err
	}
	_, err := c.Set(node, data(1), -1)
	return err
}

func TestZooKeeper_EntryThatCannotBeReadIsLeftOutAndLoggedOnce(t *testing.T) {
	s := newZooKeeper(t)
	c := zooClient(t, s.address)
	write(
		t, c, "/weir/web/a", "http://10.0.0.1:8000", "/weir/web/bad", "{", "/weir/web/worse", "10.0.0.1:80",
		"/weir/web/large", `{"url":"http://10.0.0.1","x":"`+strings.Repeat("y", zookeeper.MaxValue)+`"}`,
		"/weir/web/"+strings.Repeat("n", 100_000), "http://10.0.0.1", "/weir/web/v1/empty", "", "/weir/web/none", "", "/weir/web/v2/too/deep", "http://10.0.0.1",
	)
	if _, err := c.Create("/weir/web/secret", []byte("http://10.0.0.9"), 0, zk.DigestACL(zk.PermAll, "some", "body")); err != nil {
		t.Fatal(err)
	}
	var log diary
	a := listen(t, zooProvider(t, zookeeper.Options{Log: log.logger(), Resync: 200 * time.Millisecond}, s.address))
	a.has(t, patience, "a http://10.0.0.1:8000")
	write(t, c, "/weir/web/a", "http://10.0.0.3:8000")
	a.has(t, patience, "a http://10.0.0.3:8000")
	for _, key := range []string{"bad", "worse", "large", "v1/empty", "secret"} {
		if n := log.count("key=/weir/web/" + key + " "); n != 1 {
			t.Errorf("the log has %s %d times, want once:\n%s", key, n, &log)
		}
	}
	if n := log.count("its name is none that a node can have"); n != 1 {
		t.Errorf("the log has a name that is too long to ask for %d times, want once:\n%s", n, &log)
	}
	if n := log.count("key=/weir/web/none "); n != 0 {
		t.Errorf("the log has a version without endpoints %d times, want never:\n%s", n, &log)
	}
	write(t, c, "/weir/web/bad", "http://10.0.0.4:8000")
	a.has(t, patience, "a http://10.0.0.3:8000", "bad http://10.0.0.4:8000")
}

func TestZooKeeper_NodesAreReadByThoseWhoMay(t *testing.T) {
	s := newZooKeeper(t)
	owner := zooClient(t, s.address)
	if err := owner.AddAuth("digest", []byte("weir:secret")); err != nil {
		t.Fatal(err)
	}
	write(t, owner, "/weir", "")
	for _, node := range []string{"/weir/web", "/weir/web/a"} {
		if _, err := owner.Create(node, []byte("http://10.0.0.1:8000"), 0, zk.DigestACL(zk.PermAll, "weir", "secret")); err != nil {
			t.Fatal(err)
		}
	}
	listen(t, zooProvider(t, zookeeper.Options{Auth: "weir:secret"}, s.address)).has(t, patience, "a http://10.0.0.1:8000")
	anonymous := listen(t, zooProvider(t, zookeeper.Options{}, s.address))
	anonymous.hears(t, patience, "may not be read by us")
	listen(t, zooProvider(t, zookeeper.Options{Auth: "weir:wrong"}, s.address)).hears(t, patience, "may not be read by us")

	if _, err := owner.SetACL("/weir/web", zk.WorldACL(zk.PermRead), -1); err != nil {
		t.Fatal(err)
	}
	anonymous.has(t, patience) // the service, and not its endpoint
}

func TestZooKeeper_LostWatchIsNotTrusted(t *testing.T) {
	s := newZooKeeper(t)
	c := zooClient(t, s.address)
	write(t, c, "/weir/web/a", "http://10.0.0.1:8000", "/weir/web/v1/b", "http://10.0.0.2:8000")
	a := listen(t, zooProvider(t, zookeeper.Options{Resync: time.Second}, muteZooKeeper(t, s.address)))
	a.has(t, patience, "a http://10.0.0.1:8000", "b@v1 http://10.0.0.2:8000")
	write(t, c, "/weir/web/a", "http://10.0.0.3:8000", "/weir/web/v1/c", "http://10.0.0.4:8000")
	erase(t, c, "/weir/web/v1/b")
	a.has(t, patience, "a http://10.0.0.3:8000", "c@v1 http://10.0.0.4:8000")
	erase(t, c, "/weir/web/v1/c", "/weir/web/v1", "/weir/web/a", "/weir/web")
	a.has(t, patience)
	write(t, c, "/weir/web/d", "http://10.0.0.5:8000")
	a.has(t, patience, "d http://10.0.0.5:8000")
	if n := a.outages(); n != 0 {
		t.Errorf("it is told %d outages, want none", n)
	}
}

// muteZooKeeper passes connections on to a server, and leaves out what it says of
// watches.
func muteZooKeeper(t *testing.T, address string) (muted string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.57.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", address)
			if err != nil {
				_ = client.Close()
				continue
			}
			go func() {
				defer server.Close()
				_, _ = io.Copy(server, client)
			}()
			go func() {
				defer client.Close()
				passAnswers(client, server)
			}()
		}
	}()
	return l.Addr().String()
}

func passAnswers(to io.Writer, from io.Reader) {
	for first := true; ; first = false {
		var size [4]byte
		if _, err := io.ReadFull(from, size[:]); err != nil {
			return
		}
		content := make([]byte, binary.BigEndian.Uint32(size[:]))
		if _, err := io.ReadFull(from, content); err != nil {
			return
		}
		// The first message has no number; that of an event is -1.
		if !first && int32(binary.BigEndian.Uint32(content)) == -1 {
			continue
		}
		if _, err := to.Write(append(size[:], content...)); err != nil {
			return
		}
	}
}

func TestZooKeeper_EndOfWatchLeavesNoGoroutine(t *testing.T) {
	s := newZooKeeper(t)
	before := goleak.IgnoreCurrent()
	a := listen(t, zooProvider(t, zookeeper.Options{}, s.address))
	a.has(t, patience)
	a.leave()
	goleak.VerifyNone(t, before)

	a = listen(t, zooProvider(t, zookeeper.Options{}, s.address))
	a.has(t, patience)
	s.kill()
	a.hears(t, patience, "connection refused")
	a.leave()
	goleak.VerifyNone(t, before)
}
