package weir

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/weirproxy/weir"

// house is the import graph: every package with those of this module that it may
// import. It reads from the roof down, and imports only point down.
var house = []struct{ room, imports string }{
	// Programs.
	{"cmd/weir", ". config internal/demo internal/filewatch internal/sidecar worker"},
	{"internal/demo", ". config worker"},
	{"bench", ""},

	// The composition root knows everybody.
	{".", "config endpoint balance internal/access internal/admin internal/attach internal/compress internal/conn internal/content internal/cors internal/exchange internal/forwarding internal/handler internal/http1 internal/http2 " +
		"internal/maxbody internal/observe internal/pool internal/ratelimit internal/router internal/server internal/service internal/shape internal/transport " +
		"provider provider/consul provider/dns provider/etcd provider/file provider/zookeeper"},

	// The worker's side of dialing in; it shares nothing with the router's.
	{"internal/sidecar", "internal/exchange"},
	{"worker", ""},

	// Control.
	{"config", ""},
	{"config/internal/reference", ""},
	{"internal/admin", ""},
	{"provider/consul", "endpoint provider provider/internal/registry"},
	{"provider/dns", "endpoint provider provider/internal/registry"},
	{"provider/etcd", "endpoint provider provider/internal/registry"},
	{"provider/file", "endpoint internal/filewatch provider provider/internal/registry"},
	{"provider/zookeeper", "endpoint provider provider/internal/registry"},
	{"provider/internal/registry", "endpoint provider"},
	{"provider", "endpoint"},
	{"internal/attach", "internal/exchange internal/http1"},
	{"internal/observe", "internal/exchange"},

	// The path, in order.
	{"internal/server", "internal/conn internal/content internal/exchange internal/http1 internal/proxyheader"},
	{"internal/handler", "internal/conn internal/content internal/exchange internal/http1"},
	{"internal/forwarding", "internal/exchange"},
	{"internal/router", ""},
	{"internal/service", "balance internal/exchange internal/pool internal/transport"},
	{"internal/shape", "internal/exchange internal/http1"},
	{"internal/access", "internal/exchange"},
	{"internal/ratelimit", "internal/exchange"},
	{"internal/cors", "internal/exchange"},
	{"internal/compress", "internal/exchange"},
	{"internal/maxbody", "internal/exchange"},
	{"internal/pool", "balance endpoint internal/exchange"},
	{"balance", ""},
	{"internal/transport", "endpoint internal/conn internal/content internal/exchange internal/http1 internal/http2"},
	{"internal/http2", "internal/exchange internal/http1"},

	// Leaves.
	{"internal/content", "internal/conn internal/exchange internal/http1"},
	{"internal/conn", ""},
	{"internal/http1", "internal/exchange"},
	{"endpoint", ""},
	{"internal/filewatch", ""},
	{"internal/proxyheader", ""},
	{"internal/exchange", ""},
}

// scaffold is packages for tests: they may import what they like, and only tests
// import them.
var scaffold = []string{"examples", "internal/proxytest", "internal/smuggling", "test/attack", "test/real", "test/scale"}

func isScaffold(room string) bool {
	return slices.ContainsFunc(scaffold, func(s string) bool { return room == s || strings.HasPrefix(room, s+"/") })
}

func TestHouse_PointsDown(t *testing.T) {
	floor := map[string]int{}
	for i, r := range house {
		floor[r.room] = i
	}
	for i, r := range house {
		for _, imported := range strings.Fields(r.imports) {
			if below, ok := floor[imported]; !ok || below <= i {
				t.Errorf("the table lets %s import %s, which does not stand below it", r.room, imported)
			}
		}
	}
}

func TestImports_AreThoseOfTheHouse(t *testing.T) {
	allowed := map[string][]string{}
	for _, r := range house {
		allowed[r.room] = strings.Fields(r.imports)
	}
	for room, imports := range moduleImports(t) {
		if isScaffold(room) {
			continue
		}
		may, known := allowed[room]
		if !known {
			t.Errorf("package %s has no place in the import graph; give it one in the table of this test, and say in its doc what it is for", room)
			continue
		}
		for _, imported := range imports {
			if !slices.Contains(may, imported) {
				t.Errorf("package %s imports %s; it may import only [%s]", room, imported, strings.Join(may, " "))
			}
		}
	}
}

// moduleImports returns what every package of this module imports of it, tests
// aside.
func moduleImports(t *testing.T) map[string][]string {
	t.Helper()
	// What does not compile is other tests' business.
	out, err := exec.Command("go", "list", "-e", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	graph := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		var own []string
		for _, path := range words[1:] {
			if room, ok := roomOf(path); ok {
				own = append(own, room)
			}
		}
		room, _ := roomOf(words[0])
		graph[room] = own
	}
	return graph
}

// roomOf returns the folder of a package of this module, "." for the root.
func roomOf(path string) (room string, ok bool) {
	if path == module {
		return ".", true
	}
	return strings.CutPrefix(path, module+"/")
}
