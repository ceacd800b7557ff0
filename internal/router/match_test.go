package router

import (
	"strings"
	"sync"
	"testing"
)

// mustNew builds a table whose targets are the routes' own names.
func mustNew(t testing.TB, routes ...Route[string]) *Table[string] {
	t.Helper()
	for i := range routes {
		routes[i].Target = routes[i].Name
	}
	table, err := New(routes)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// paths makes a route of each path, called like it.
func paths(paths ...string) []Route[string] {
	var routes []Route[string]
	for _, p := range paths {
		routes = append(routes, Route[string]{Path: p, Name: p})
	}
	return routes
}

// lookup returns the candidates in order, or how the request is refused.
func lookup(table *Table[string], q request) string {
	var m Match[string]
	var names []string
	v := table.Match([]byte(q.host), []byte(q.path), []byte(q.method), q.headers, &m)
	switch v {
	case NoRoute:
		return "404"
	case MethodNotAllowed:
		return "405 " + string(m.AppendAllow(nil))
	}
	for ; v == Found; v = m.Next() {
		names = append(names, *m.Target)
	}
	return strings.Join(names, " then ")
}

func TestMatch_Path(t *testing.T) {
	for _, tt := range []struct {
		name   string
		routes string
		path   string
		want   string
	}{
		{"star takes the path before it", "/api/*", "/api", "/api/*"},
		{"star takes a final slash", "/api/*", "/api/", "/api/*"},
		{"star takes any depth", "/api/*", "/api/x//y/z", "/api/*"},
		{"star keeps to the segment", "/api/*", "/apis", "404"},
		{"star at the root takes the root", "/*", "/", "/*"},
		{"star at the root takes an empty path", "/*", "", "/*"},
		{"star at the root takes the asterisk form", "/*", "*", "/*"},
		{"the asterisk form has no segment", "/{a} /a", "*", "404"},
		{"the root is a path like others", "/", "/", "/"},
		{"the root is not everything", "/", "/a", "404"},
		{"a path ends where its pattern does", "/api", "/api/", "404"},
		{"a final slash counts", "/api/", "/api", "404"},
		{"empty segments count", "/a/b /a//b", "/a//b", "/a//b"},
		{"case counts", "/api", "/API", "404"},
		{"literal before capture before star", "/* /{a} /a", "/a", "/a then /{a} then /*"},
		{"the first difference decides", "/{a}/b /a/{b}", "/a/b", "/a/{b} then /{a}/b"},
		{"the end before star", "/a/* /a", "/a", "/a then /a/*"},
		{"a longer star before a shorter", "/* /a/* /a/b/*", "/a/b/c", "/a/b/* then /a/* then /*"},
		{"a literal that leads nowhere is left for a capture", "/a/b/z /a/{x}/c /*", "/a/b/c", "/a/{x}/c then /*"},
		{"and further up", "/a/b/c/d /a/{x}/c/e /{y}/b/c/f", "/a/b/c/f", "/{y}/b/c/f"},
		{"and for a star", "/a/b/c/d /a/*", "/a/b/c/f", "/a/*"},
		{"a capture is not empty", "/{a}/b", "//b", "404"},
		{"a capture at the end is not empty", "/a/{b}", "/a/", "404"},
		{"a capture is one segment", "/{a}", "/a/b", "404"},
		{"an encoded slash does not separate", "/a/b /{x} /*", "/a%2Fb", "/{x} then /*"},
		{"an encoded slash is literal", "/a%2Fb /a/b", "/a%2fb", "/a%2Fb"},
		{"unreserved octets are decoded", "/admin/* /*", "/%61dm%69n/x", "/admin/* then /*"},
		{"reserved octets are decoded", "/@admin /*", "/%40admin", "/@admin then /*"},
		{"and in patterns", "/a%20b", "/a%20b", "/a%20b"},
		{"octets beyond ASCII are as good encoded", "/é", "/%c3%a9", "/é"},
		{"octets are decoded once", "/admin /*", "/%2561dmin", "/*"},
		{"a stray percent sign is itself", "/100%25", "/100%", "/100%25"},
		{"a stray percent sign introduces nothing", "/%25zz /*", "/%zz", "/%25zz then /*"},
		{"a literal star or brace is encoded", "/%2A /%7Ba%7D", "/{a}", "/%7Ba%7D"},
		{"a query is none of a path", "/a /*", "/a?b", "/*"},
		{"nothing", "/a", "/b", "404"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			table := mustNew(t, paths(strings.Fields(tt.routes)...)...)
			if got := lookup(table, request{path: tt.path, method: "GET"}); got != tt.want {
				t.Errorf("%q of %s: got %s, want %s", tt.path, tt.routes, got, tt.want)
			}
		})
	}
}

func TestMatch_Host(t *testing.T) {
	var routes []Route[string]
	for _, h := range []string{
		"", "*.com", "*.example.com", "*.a.example.com", "shop.example.com", "Upper.Test.", "[::1]", "10.0.0.1",
	} {
		routes = append(routes, Route[string]{Host: h, Path: "/*", Name: h + "|"})
	}
	table := mustNew(t, routes...)
	for _, tt := range []struct{ name, host, want string }{
		{"exact, then wildcards by length, then any", "shop.example.com", "shop.example.com| then *.example.com| then *.com| then |"},
		{"a wildcard stands for one label", "x.example.com", "*.example.com| then *.com| then |"},
		{"and for several", "y.x.example.com", "*.example.com| then *.com| then |"},
		{"the longest suffix comes first", "x.a.example.com", "*.a.example.com| then *.example.com| then *.com| then |"},
		{"a wildcard is not its own suffix", "example.com", "*.com| then |"},
		{"a suffix is whole labels", "xexample.com", "*.com| then |"},
		{"case is nothing", "SHOP.Example.COM", "shop.example.com| then *.example.com| then *.com| then |"},
		{"nor in a route", "upper.test", "Upper.Test.| then |"},
		{"the port is nothing", "shop.example.com:8080", "shop.example.com| then *.example.com| then *.com| then |"},
		{"nor an empty one", "x.com:", "*.com| then |"},
		{"one final dot is nothing", "x.com.", "*.com| then |"},
		{"with a port too", "x.com.:80", "*.com| then |"},
		{"two are not", "x.com..", "|"},
		{"what is no port stays", "x.com:http", "|"},
		{"an address", "10.0.0.1:80", "10.0.0.1| then |"},
		{"an IPv6 address", "[::1]", "[::1]| then |"},
		{"an IPv6 address and a port", "[::1]:8080", "[::1]| then |"},
		{"an IPv6 address without brackets is no host", "::1", "|"},
		{"no host", "", "|"},
		{"a port alone", ":80", "|"},
		{"more than a name can be", strings.Repeat("X.", 200) + "com", "*.com| then |"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := lookup(table, request{host: tt.host, path: "/", method: "GET"}); got != tt.want {
				t.Errorf("%q: got %s, want %s", tt.host, got, tt.want)
			}
		})
	}
}

func TestMatch_LessSpecificHostTakesWhatTheNamedOneDoesNot(t *testing.T) {
	table := mustNew(t,
		Route[string]{Host: "a.test", Path: "/api/*", Name: "named"},
		Route[string]{Host: "*.test", Path: "/api/x", Name: "wild"},
		Route[string]{Path: "/{any}/x", Name: "any"},
	)
	for path, want := range map[string]string{
		"/api/x":   "named then wild then any",
		"/other/x": "any",
		"/other":   "404",
	} {
		if got := lookup(table, request{host: "a.test", path: path}); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

func TestMatch_MethodsAndHeaders(t *testing.T) {
	table := mustNew(t,
		Route[string]{Path: "/a", Name: "all"},
		Route[string]{Path: "/a", Name: "get", Methods: []string{"GET"}},
		Route[string]{Path: "/a", Name: "head", Methods: []string{"HEAD"}},
		Route[string]{Path: "/a", Name: "get+1", Methods: []string{"GET"}, Headers: headers{{"x-one", "1"}}},
		Route[string]{Path: "/a", Name: "get+2", Methods: []string{"GET"}, Headers: headers{{"X-Two", "1"}, {"X-One", "1"}}},
		Route[string]{Path: "/a", Name: "all+2", Headers: headers{{"X-Two", "1"}, {"X-One", "1"}}},
		Route[string]{Path: "/b/b", Name: "post", Methods: []string{"POST"}},
		Route[string]{Path: "/{b}/{c}", Name: "put", Methods: []string{"PUT", "GET"}},
		Route[string]{Path: "/c/c", Name: "brew", Methods: []string{"BREW"}, Headers: headers{{"X-One", "1"}}},
		Route[string]{Path: "/d/d", Name: "written first", Headers: headers{{"X-Two", "1"}}},
		Route[string]{Path: "/d/d", Name: "written last", Headers: headers{{"X-One", "1"}}},
		Route[string]{Path: "/e/*", Name: "fallback"},
		Route[string]{Path: "/e/e/e", Name: "post e", Methods: []string{"POST"}},
	)
	one, both := headers{{"X-One", "1"}}, headers{{"X-One", "0"}, {"X-One", "1"}, {"x-two", "1"}}
	for _, tt := range []struct {
		name string
		q    request
		want string
	}{
		{"named before none", request{"", "/a", "GET", nil}, "get then all"},
		{"none takes the rest", request{"", "/a", "BREW", nil}, "all"},
		{"HEAD named before HEAD by GET", request{"", "/a", "HEAD", one}, "head then get+1 then get then all"},
		{"a condition before none", request{"", "/a", "GET", one}, "get+1 then get then all"},
		{"more conditions before fewer, but methods first", request{"", "/a", "GET", both}, "get+2 then get+1 then get then all+2 then all"},
		{"a value is exact", request{"", "/a", "GET", headers{{"X-One", "11"}}}, "get then all"},
		{"a method that fails gives way to a less specific path", request{"", "/b/b", "GET", nil}, "put"},
		{"so does HEAD", request{"", "/b/b", "HEAD", nil}, "put"},
		{"Allow is of all paths that match, sorted", request{"", "/b/b", "DELETE", nil}, "405 GET, HEAD, POST, PUT"},
		{"methods have case", request{"", "/b/b", "post", nil}, "405 GET, HEAD, POST, PUT"},
		{"Allow leaves out what headers would refuse", request{"", "/c/c", "POST", nil}, "405 GET, HEAD, PUT"},
		{"Allow has what headers would not", request{"", "/c/c", "POST", one}, "405 BREW, GET, HEAD, PUT"},
		{"as many conditions stay as written", request{"", "/d/d", "GET", both}, "written first then written last then put"},
		{"a less specific path saves from 405", request{"", "/e/e/e", "GET", nil}, "fallback"},
		{"no path, no 405", request{"", "/x", "POST", nil}, "404"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := lookup(table, tt.q); got != tt.want {
				t.Errorf("%+v: got %s, want %s", tt.q, got, tt.want)
			}
		})
	}
}

func TestMatch_WithoutRequestNoConditionHolds(t *testing.T) {
	table := mustNew(t,
		Route[string]{Path: "/*", Name: "canary", Headers: headers{{"X-Canary", "1"}}},
		Route[string]{Path: "/*", Name: "all"},
	)
	var m Match[string]
	if v := table.Match(nil, []byte("/"), []byte("GET"), nil, &m); v != Found || *m.Target != "all" {
		t.Errorf("verdict %d, target %v", v, m.Target)
	}
}

func TestMatch_AllTurnedDownIsNot405(t *testing.T) {
	table := mustNew(t,
		Route[string]{Path: "/a", Name: "post", Methods: []string{"POST"}},
		Route[string]{Path: "/*", Name: "all"},
	)
	var m Match[string]
	if v := table.Match(nil, []byte("/a"), []byte("GET"), nil, &m); v != Found {
		t.Fatalf("verdict %d", v)
	}
	for range 2 {
		if v := m.Next(); v != NoRoute || m.Target != nil {
			t.Errorf("after the last candidate: verdict %d, target %v", v, m.Target)
		}
	}
}

func TestMatch_GuardsComeLastAndAsWritten(t *testing.T) {
	table := mustNew(t,
		Route[string]{Path: "/a", Name: "none"},
		Route[string]{Path: "/a", Name: "second", Guard: "2"},
		Route[string]{Path: "/a", Name: "first", Guard: "1"},
		Route[string]{Path: "/a", Name: "header", Headers: headers{{"X-One", "1"}}},
		Route[string]{Path: "/a", Name: "get", Methods: []string{"GET"}},
		Route[string]{Path: "/b", Name: "guarded get", Methods: []string{"GET"}, Guard: "1"},
		Route[string]{Path: "/b", Name: "post", Methods: []string{"POST"}},
	)
	one := headers{{"X-One", "1"}}
	for _, tt := range []struct {
		q    request
		want string
	}{
		{request{"", "/a", "POST", nil}, "second then first then none"},
		{request{"", "/a", "GET", nil}, "get then second then first then none"},
		{request{"", "/a", "POST", one}, "header then second then first then none"},
		{request{"", "/b", "HEAD", nil}, "guarded get"},
		{request{"", "/b", "PUT", nil}, "405 GET, HEAD, POST"},
	} {
		if got := lookup(table, tt.q); got != tt.want {
			t.Errorf("%+v: got %s, want %s", tt.q, got, tt.want)
		}
	}
	var m Match[string]
	table.Match(nil, []byte("/b"), []byte("GET"), nil, &m)
	if v := m.Next(); v != NoRoute {
		t.Errorf("after a guard that did not hold: verdict %d, want NoRoute: the method was right", v)
	}
}

func TestMatch_Capture(t *testing.T) {
	table := mustNew(t, paths("/{service}/{version}/*", "/x/{only}")...)
	var m Match[string]
	capture := func(name string) string {
		value, ok := m.Capture(name)
		if !ok {
			return "none"
		}
		return string(value)
	}
	if capture("service") != "none" || m.Next() != NoRoute || m.AppendAllow(nil) != nil {
		t.Error("a Match before its first use is not empty")
	}
	for _, tt := range []struct{ path, service, version, only string }{
		{"/shop/v1/x", "shop", "v1", "none"},
		{"/sh%6Fp/a%2Fb", "sh%6Fp", "a%2Fb", "none"},
		{"/x/y", "none", "none", "y"},
		{"/shop", "none", "none", "none"},
	} {
		table.Match(nil, []byte(tt.path), []byte("GET"), nil, &m)
		if capture("service") != tt.service || capture("version") != tt.version || capture("only") != tt.only {
			t.Errorf("%s: service %s, version %s, only %s", tt.path, capture("service"), capture("version"), capture("only"))
		}
	}
	table.Match(nil, []byte("/x/y"), []byte("GET"), nil, &m)
	if m.Next(); capture("service") != "x" || capture("version") != "y" || capture("only") != "none" || m.Route() != 0 {
		t.Error("captures do not follow Next")
	}
}

func TestMatch_NoRoutes(t *testing.T) {
	if got := lookup(mustNew(t), request{host: "a", path: "/"}); got != "404" {
		t.Error(got)
	}
}

func TestTable_IsSafeForConcurrentUse(t *testing.T) {
	table := mustNew(t, paths("/{a}/b", "/a/*")...)
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for range 100 {
				if got := lookup(table, request{host: "a", path: "/a/b", method: "GET"}); got != "/a/* then /{a}/b" {
					t.Error(got)
				}
			}
		})
	}
	readers.Wait()
}
