package attack

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
)

// spellings are ways to write a path by which only routers speak to workers, with %
// in its place.
var spellings = []string{
	"%", "%?x=1", "%?", "%/", "%;x", "%#x", "/%", "//%", "///%", "/.%", "/x/..%", "/./.%", "/%2e%", "/%2E%2e%", "/x/%2e%2e%", "/;%", "/%00%", "/ %",
	"/%2f%", "\\%", "/\\%", "/prey%", "/prey/%", "/prey//%", "/prey/.%", "/prey/x/..%", "/prey/%2e%", "/prey?%", "/prey/?%", "/%70rey%",
	"/aside/v1%", "/aside/v1/%", "/aside/v1//%", "/aside/v1/.%", "/aside/%761%", "/aside//v1%", "/aside/v1/%2e%2e/v1%",
	"http://site.example%", "http://site.example/%", "HTTP://SITE.EXAMPLE%", "https://site.example%", "http://site.example/prey%",
	"http://site.example/aside/v1%", "http://site.example?%", "http://site.example:80%", "http://u@site.example%", "http:%", "//site.example%",
	"ftp://site.example%", "x%", "*%",
}

// written are ways to write the path itself.
var written = []string{
	"/.well-known/weir/worker", "/.well-known/weir/drain", "/.well-known/weir/", "/.well-known/weir", "/.well-known/weir/attach", "/.well-known/weir/x",
	"/%2ewell-known/weir/drain", "/%2Ewell-known/weir/drain", "/.well-known%2fweir/drain", "/.well-known/%77eir/drain", "/.well-known/weir%2Fdrain",
	"/.well-known/weir/%64rain", "/.WELL-KNOWN/weir/drain", "/.well-known/WEIR/drain", "/.well-known//weir/drain", "/.well-known/./weir/drain",
	"/.well-known/x/../weir/drain", "/.well-known/weir/../weir/drain", "/.well-known/weir/./drain", "/.well-known/weir//drain", "/.well-known;x/weir/drain",
	"/.well-known/weir;/drain", `/.well-known\weir\drain`, "/.well-known/weir/drain%00", "/.well-known/weir/drain%20", "/..well-known/weir/drain",
}

// By whatever way a client writes it, no worker is ever asked for a path that
// begins, byte for byte, with what is between routers and workers.
func TestNamespace_IsOutOfReachOfClients(t *testing.T) {
	for name, change := range map[string]func(*weir.Config){
		"as usual":             nil,
		"paths are normalized": func(c *weir.Config) { c.Paths = "normalize" },
		"workers attach, too":  func(c *weir.Config) { c.Listeners[0].Attach = true },
		"more is taken off": func(c *weir.Config) {
			c.Routes = append(c.Routes,
				stripping("/x/*", "/x"), stripping("/;/*", "/;"), stripping("/%2f/*", "/%2f"), stripping("/{a}/.well-known/*", "/{a}"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := besiege(t, change)
			s.station("prey", "prey", "Weir-Service: prey")
			s.before = measure()
			asked := 0
			for _, path := range written {
				for i, spelling := range spellings {
					if testing.Short() && i%5 != 0 {
						continue
					}
					asked++
					probe(t, s, strings.Replace(spelling, "%", path, 1), asked)
				}
			}
			s.mu.Lock()
			slices.Sort(s.seen)
			seen := slices.Compact(s.seen)
			s.mu.Unlock()
			for _, target := range seen {
				if strings.HasPrefix(target, "/.well-known/weir/") {
					t.Errorf("a worker was asked for %q", target)
				}
			}
			t.Logf("of %d requests, workers have seen %d different targets, such as %q", asked, len(seen), seen[:min(5, len(seen))])
			if len(seen) == 0 {
				t.Error("no request reached any worker")
			}
			s.lift()
		})
	}
}

func stripping(path, prefix string) config.Route {
	return config.Route{Service: "prey", Match: config.Match{Path: path}, StripPrefix: prefix}
}

// probe asks for a target, by another method and version each time.
func probe(t *testing.T, s *siege, target string, n int) {
	t.Helper()
	method := []string{"GET", "POST", "OPTIONS", "HEAD", "PATCH"}[n%5]
	version := []string{"1.1", "1.1", "1.0"}[n%3]
	c := dialClient(t, s.clients)
	defer c.nc.Close()
	_, _ = io.WriteString(c.nc, method+" "+target+" HTTP/"+version+"\r\nHost: site.example\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	a, err := c.read(method)
	switch {
	case errors.Is(err, errNothing):
		t.Errorf("%s %s (HTTP/%s) is not answered", method, target, version)
	case err != nil || a.truncated:
		t.Errorf("%s %s (HTTP/%s) is answered %d %q (truncated: %t, %v)", method, target, version, a.status, a.header, a.truncated, err)
	case a.status == 101 || a.status >= 500:
		t.Errorf("%s %s (HTTP/%s) is answered %d", method, target, version, a.status)
	}
}

// Upgrade: ptth on a listener where nobody attaches is a request like any other,
// and its connection stays a client's.
func TestNamespace_NobodyAttachesWhereClientsAre(t *testing.T) {
	s := besiege(t, nil)
	for path, want := range map[string]int{
		"/.well-known/weir/attach": 404, "/.well-known/weir/attach?x": 404, "/x": 200, "/aside/v1/x": 200, "/aside/v1/.well-known/weir/attach": 404,
	} {
		c := dialClient(t, s.clients)
		a, err := c.ask("GET", path, "Connection: upgrade", "Upgrade: ptth", "ALPN: h2", bearer(tokenOfHonest), "Weir-Service: default")
		if err != nil || a.status != want || a.has("upgrade") {
			t.Errorf("%s with Upgrade: ptth was answered %d %q (%v), want %d", path, a.status, a.header, err, want)
		}
		if b, err := c.ask("GET", "/ordinary"); err != nil || b.body != "honest /ordinary" {
			t.Errorf("the next request after that was answered %d %q (%v)", b.status, b.body, err)
		}
		_ = c.nc.Close()
	}
	if n := s.log.total(`msg="a worker attached"`); n != len(s.honest) {
		t.Errorf("%d workers have attached, want the %d honest ones", n, len(s.honest))
	}
	s.lift()
}
