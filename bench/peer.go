package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"
	"time"
)

//go:embed peers
var configurations embed.FS

// peer is a proxy to measure.
type peer struct {
	name       string
	title      string
	program    string
	config     string   // template below peers/
	arguments  []string // CONFIG stands for the configuration that was written
	version    []string
	noLog      bool   // on purpose
	logsToRing bool   // the access log goes through a program of ours
	variant    bool   // the other branch of its configuration: measured only if asked for
	endpoints  int    // how many it has; 0 is all
	attached   string // in which way a worker attaches to it, that answers instead of the endpoints
	shaped     bool   // its route has steps
	buffering  string // of its access log, answers and requests: for the notes
}

// allPeers is in the order of the rounds.
func allPeers() []peer {
	return append([]peer{
		{
			name: "weir", title: "Weir", program: "weir", config: "weir.yaml",
			arguments: []string{"run", "-c", "CONFIG"}, version: []string{"version"},
			buffering: "access log written in batches; answers streamed; small request bodies kept for a retry",
		},
		{
			name: "nginx", title: "nginx", program: "nginx", config: "nginx.conf",
			arguments: []string{"-e", "stderr", "-c", "CONFIG"}, version: []string{"-v"},
			buffering: "access log `buffer=64k flush=1s`; requests buffered whole, answers in up to 8 buffers of a page, never on disk",
		},
		{
			name: "nginx-tuned", title: "nginx, tuned", program: "nginx", config: "nginx.conf",
			arguments: []string{"-e", "stderr", "-c", "CONFIG"}, version: []string{"-v"}, variant: true,
			buffering: "as nginx, with 8 buffers of 64 KiB for answers",
		},
		{
			name: "haproxy", title: "HAProxy", program: "haproxy", config: "haproxy.cfg",
			arguments: []string{"-db", "-f", "CONFIG"}, version: []string{"-v"}, logsToRing: true,
			buffering: "access log to a ring in memory and from there in batches, the file written by another program; bodies streamed through 16 KiB; a copy of the request kept for `retry-on`",
		},
		{
			name: "haproxy-lean", title: "HAProxy, lean", program: "haproxy", config: "haproxy.cfg",
			arguments: []string{"-db", "-f", "CONFIG"}, version: []string{"-v"}, variant: true, noLog: true,
			buffering: "**less work than the others**: no access log, only connecting is retried",
		},
		{
			name: "caddy", title: "Caddy", program: "caddy", config: "Caddyfile",
			arguments: []string{"run", "--adapter", "caddyfile", "--config", "CONFIG"}, version: []string{"version"},
			buffering: "access log through its roller, a write a request; bodies streamed",
		},
	}, append(shapedPeers(), onePeers()...)...)
}

// shapedPeers are the same but for the steps of their route: those of the kind shaped.
func shapedPeers() []peer {
	weir := peer{program: "weir", config: "weir.yaml", arguments: []string{"run", "-c", "CONFIG"}, version: []string{"version"}}
	shaped := weir
	shaped.name, shaped.title, shaped.shaped = "weir-shaped", "Weir, with steps", true
	weir.name, weir.title = "weir-plain", "Weir, without"
	return []peer{shaped, weir}
}

// onePeers have one endpoint, or one worker, each: those of the kind attached.
func onePeers() []peer {
	weir := peer{program: "weir", config: "weir.yaml", arguments: []string{"run", "-c", "CONFIG"}, version: []string{"version"}}
	haproxy := peer{program: "haproxy3", config: "haproxy.cfg", arguments: []string{"-db", "-f", "CONFIG"}, version: []string{"-v"}, logsToRing: true}
	named := func(p peer, name, title, attached string) peer {
		p.name, p.title, p.attached, p.endpoints = name, title, attached, 1
		return p
	}
	return []peer{
		named(weir, "weir-attached", "Weir, attached worker", byUpgrade),
		named(weir, "weir-one", "Weir, HTTP/1.1 endpoint", ""),
		named(haproxy, "haproxy3-attached", "HAProxy 3, `rhttp@`", byReversal),
		named(haproxy, "haproxy3-one", "HAProxy 3, HTTP/1.1 endpoint", ""),
	}
}

// otherWeir is a peer like another one, with another program of Weir's.
func otherWeir(program, like string) peer {
	for _, p := range allPeers() {
		if p.name == like {
			p.name, p.title, p.program, p.buffering = "other-"+like, "other "+p.title, program, ""
			return p
		}
	}
	panic("there is no peer " + like)
}

func selectPeers(names string) ([]peer, error) {
	var chosen []peer
	for _, p := range allPeers() {
		if named(names, p.name) {
			chosen = append(chosen, p)
		}
	}
	for name := range strings.SplitSeq(names, ",") {
		if !containsPeer(chosen, name) {
			return nil, fmt.Errorf("no peer is called %q", name)
		}
	}
	return chosen, nil
}

func containsPeer(peers []peer, name string) bool {
	for _, p := range peers {
		if p.name == name {
			return true
		}
	}
	return false
}

// named reports whether a comma-separated list holds a name.
func named(list, name string) bool {
	for item := range strings.SplitSeq(list, ",") {
		if item == name {
			return true
		}
	}
	return false
}

// find is the peer's program: one in .cache/bin, on the path, or where Debian puts daemons.
func (p peer) find(w *workspace) (string, error) {
	if filepath.IsAbs(p.program) {
		return p.program, nil
	}
	for _, dir := range append([]string{w.bin}, append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin")...) {
		path := filepath.Join(dir, p.program)
		if info, err := os.Stat(path); err == nil && !info.IsDir() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed: run scripts/install-peers.sh", p.program)
}

// versionOf is the first line that the program says about itself; for one built with go
// install, the version of its module, which the program itself may not know.
func (p peer) versionOf(ctx context.Context, path string) string {
	if info, err := buildinfo.ReadFile(path); err == nil && strings.HasPrefix(info.Main.Version, "v") {
		return info.Main.Version + ", built with " + info.GoVersion
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, p.version...).CombinedOutput()
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if err != nil || line == "" {
		return "unknown"
	}
	line, _, _ = strings.Cut(line, " - https://")
	return strings.TrimPrefix(strings.TrimPrefix(line, "nginx version: "), "HAProxy version ")
}

// proxy is a peer that runs.
type proxy struct {
	peer
	process *process
	sink    *process // writes the log, if the proxy does not itself
	worker  *process // that has attached to it, if any
	http    int      // ports
	https   int
	log     string
}

// settings is what the templates of configurations know.
type settings struct {
	HTTP, HTTPS, Admin       int
	Shaped                   bool
	Attach                   int // port for workers; 0: there are endpoints
	Streams                  int // that a worker takes at a time
	Endpoints                []int
	Pool, PoolTotal          int // idle connections kept to each endpoint, and to all
	Connections, Files       int
	Dir, Log                 string
	Sink                     int // port of the program that writes the log
	Variant                  bool
	Certificate, Key, Bundle string
}

func (s settings) render(name string) ([]byte, error) {
	t, err := template.ParseFS(configurations, "peers/"+name)
	if err != nil {
		return nil, fmt.Errorf("read the configuration %s: %w", name, err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, s); err != nil {
		return nil, fmt.Errorf("fill in the configuration %s: %w", name, err)
	}
	return out.Bytes(), nil
}

// pids are the processes whose time and memory are the proxy's.
func (p *proxy) pids() []int { return processTree(p.process.pid()) }

func (p *proxy) stop() {
	p.process.stop()
	p.worker.stop()
	p.sink.stop()
}

// takeLog returns how much access log the proxy has written, and empties it: a long run
// would fill the disk. The writers append, so that they go on at the new end.
func (p *proxy) takeLog() int64 {
	info, err := os.Stat(p.log)
	if err != nil {
		return 0
	}
	if err := os.Truncate(p.log, 0); err != nil {
		fmt.Fprintln(os.Stderr, "bench: empty a log:", err)
	}
	return info.Size()
}
