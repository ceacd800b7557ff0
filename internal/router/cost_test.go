package router

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// nodes counts those of a tree.
func (n *node) nodes() int {
	count := 1
	for _, child := range n.literals {
		count += child.nodes()
	}
	if n.capture != nil {
		count += n.capture.nodes()
	}
	return count
}

// steps counts those of a walk that finds nothing. A node takes at most four:
// one a phase.
func steps(table *Table[string], path string) int {
	var c cursor
	c.start(table.hosts.any, []byte(path), 0, nil)
	count := 0
	for c.node != nil {
		c.step()
		count++
	}
	return count
}

// mixtures are all patterns of that many segments "a" or a capture, with the
// end behind them: the one family that makes a walk go everywhere.
func mixtures(depth int, end string) []Route[string] {
	var routes []Route[string]
	for bits := range 1 << depth {
		var path strings.Builder
		for i := range depth {
			if bits&(1<<i) == 0 {
				path.WriteString("/a")
			} else {
				fmt.Fprintf(&path, "/{x%d}", i)
			}
		}
		routes = append(routes, Route[string]{Path: path.String() + end})
	}
	return routes
}

func TestCursor_EntersANodeAtMostOnce(t *testing.T) {
	for _, tt := range []struct {
		name   string
		routes []Route[string]
		path   string
	}{
		{"every mixture of literal and capture", mixtures(12, "/end"), strings.Repeat("/a", 12) + "/x"},
		{"and a path that goes on", mixtures(12, "/end"), strings.Repeat("/a", 30000)},
		{"literals and captures by turns", paths(
			strings.Repeat("/a", 60)+"/z",
			"/a/{b}"+strings.Repeat("/a", 50)+"/z",
			"/{a}"+strings.Repeat("/a", 50)+"/{b}/z",
		), strings.Repeat("/a", 60)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			table := mustNew(t, tt.routes...)
			got, nodes := steps(table, tt.path), table.hosts.any.nodes()
			if got > 4*nodes {
				t.Errorf("%d steps over %d nodes", got, nodes)
			}
		})
	}
}

func TestCursor_StepsDoNotFollowTheNumberOfRoutes(t *testing.T) {
	few, many := mustNew(t, manyRoutes(100)...), mustNew(t, manyRoutes(10000)...)
	for _, path := range []string{"/api3/v1/items/7/x", "/api3/v1/none", "/none", "/weir/proj/issues3/9"} {
		if a, b := steps(few, path), steps(many, path); a != b {
			t.Errorf("%s: %d steps over 100 routes, %d over 10000", path, a, b)
		}
	}
}

// manyRoutes are literals, captures, stars, methods and hosts, as a large site
// might have them.
func manyRoutes(n int) []Route[string] {
	routes := []Route[string]{{Path: "/*"}, {Path: "/{service}/{version}/*"}}
	for i := 0; len(routes) < n; i++ {
		more := []Route[string]{
			{Path: fmt.Sprintf("/api%d/*", i)},
			{Path: fmt.Sprintf("/api%d/v1/items/{id}/x", i), Methods: []string{"GET"}},
			{Path: fmt.Sprintf("/api%d/v1/items/{id}/x", i), Methods: []string{"POST", "PUT"}},
			{Path: fmt.Sprintf("/{team}/proj/issues%d/{id}", i)},
			{Host: fmt.Sprintf("shop%d.example.com", i), Path: "/*"},
			{Host: fmt.Sprintf("shop%d.example.com", i), Path: "/cart/{id}"},
			{Host: fmt.Sprintf("*.tenant%d.example.com", i), Path: "/app/{page}"},
			{Host: "busy.example.com", Path: fmt.Sprintf("/p%d/q/r", i)},
		}
		routes = append(routes, more[:min(len(more), n-len(routes))]...)
	}
	return routes
}

// manyRequests are a few thousand, in no order, that manyRoutes(n) takes.
func manyRequests(n int) []request {
	rng := rand.New(rand.NewPCG(1, 2))
	requests := make([]request, 4096)
	for j := range requests {
		i := rng.IntN(max(1, n/8))
		requests[j] = pick(rng, []request{
			{"www.example.com", fmt.Sprintf("/api%d/some/thing.html", i), "GET", nil},
			{"www.example.com", fmt.Sprintf("/api%d/v1/items/1234/x", i), "PUT", nil},
			{"www.example.com", fmt.Sprintf("/api%d/v1/items/1234/y", i), "GET", nil},
			{"www.example.com", fmt.Sprintf("/weir/proj/issues%d/99", i), "GET", nil},
			{fmt.Sprintf("shop%d.example.com:443", i), "/cart/77", "POST", nil},
			{fmt.Sprintf("Shop%d.example.com", i), "/static/app.css", "GET", nil},
			{fmt.Sprintf("eu.tenant%d.example.com", i), "/app/home", "GET", nil},
			{"busy.example.com", fmt.Sprintf("/p%d/%%71/r", i), "GET", nil},
			{"busy.example.com", "/shop/v1/x", "GET", nil},
		})
	}
	return requests
}

func TestMatch_DoesNotAllocate(t *testing.T) {
	routes := manyRoutes(1000)
	routes = append(routes,
		Route[string]{Path: "/h", Headers: headers{{"X-Canary", "1"}}},
		Route[string]{Path: "/h", Guard: "1"},
		Route[string]{Path: "/h", Guard: "2"},
		Route[string]{Host: "m.test", Path: "/m", Methods: []string{"POST"}},
		Route[string]{Host: "m.test", Path: "/" + strings.Repeat("a", 255)},
	)
	table := mustNew(t, routes...)
	requests := append(
		manyRequests(1000)[:200],
		request{"A.Test", "/h", "GET", headers{{"x-canary", "1"}}},
		request{"M.test:80", "/m", "GET", nil},
		request{"m.test", "/" + strings.Repeat("%61", 300), "GET", nil},
		request{strings.Repeat("x.", 120) + "tenant1.example.com", strings.Repeat("/%61", 9000), "BREW", nil},
	)
	prefix, err := NewPrefix("/{a}/%61", "/{a}/a/*")
	if err != nil {
		t.Fatal(err)
	}
	var m Match[string]
	allow := make([]byte, 0, 100)
	normal := make([]byte, 0, 1000)
	for _, q := range requests {
		host, path, method := []byte(q.host), []byte(q.path), []byte(q.method)
		var req Request = q.headers
		if n := testing.AllocsPerRun(10, func() {
			for v := table.Match(host, path, method, req, &m); v == Found; v = m.Next() {
				m.Capture("id")
			}
			m.AppendAllow(allow)
			_ = CheckPath(path)
			prefix.Strip(path)
		}); n != 0 {
			t.Errorf("%.80v: %v allocations", q, n)
		}
	}
	if n := testing.AllocsPerRun(10, func() {
		Normalize(normal, []byte("/a/%2e%2e/b"))
		_ = CheckPath([]byte("/a/%2e%2e/b"))
	}); n != 0 {
		t.Errorf("dot segments: %v allocations", n)
	}
}

func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 10000} {
		b.Run(fmt.Sprintf("routes=%d", n), func(b *testing.B) {
			table := mustNew(b, manyRoutes(n)...)
			requests := manyRequests(n)
			type raw struct{ host, path, method []byte }
			raws := make([]raw, len(requests))
			for i, q := range requests {
				raws[i] = raw{[]byte(q.host), []byte(q.path), []byte(q.method)}
			}
			var m Match[string]
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				q := &raws[i%len(raws)]
				i++
				if table.Match(q.host, q.path, q.method, nil, &m) != Found {
					b.Fatalf("%s %s: not found", q.host, q.path)
				}
			}
		})
	}
}

// BenchmarkMatch_Worst is the one family of routes, 4096 of them, that makes a
// walk enter every node.
func BenchmarkMatch_Worst(b *testing.B) {
	table := mustNew(b, mixtures(12, "/end")...)
	path := []byte(strings.Repeat("/a", 12) + "/x")
	var m Match[string]
	for b.Loop() {
		table.Match(nil, path, nil, nil, &m)
	}
}

func BenchmarkCheckPath(b *testing.B) {
	for _, path := range []string{"/api/v1/items/1234", "/static/js/app.min.js", "/a/b%20c/d.e"} {
		b.Run(path[1:4], func(b *testing.B) {
			p := []byte(path)
			for b.Loop() {
				if CheckPath(p) != nil {
					b.Fatal()
				}
			}
		})
	}
}

func BenchmarkPrefix_Strip(b *testing.B) {
	p, err := NewPrefix("/{service}/{version}", "/{service}/{version}/*")
	if err != nil {
		b.Fatal(err)
	}
	path := []byte("/shop/v1/items/1")
	for b.Loop() {
		p.Strip(path)
	}
}
