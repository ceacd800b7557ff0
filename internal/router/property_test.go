package router

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// checkAgainst looks a request up and compares everything that can be seen of
// it with the reference: every candidate in order, captures, verdict, Allow.
func checkAgainst(t *testing.T, r reference, table *Table[int], q request) {
	t.Helper()
	var m Match[int]
	var got []int
	verdict := table.Match([]byte(q.host), []byte(q.path), []byte(q.method), q.headers, &m)
	for v := verdict; v == Found; v = m.Next() {
		got = append(got, *m.Target)
		checkCaptures(t, r[*m.Target].Path, q.path, &m)
	}
	want := r.candidates(q)
	if !slices.Equal(got, want) {
		t.Fatalf("%+v\nfound routes %v, want %v of\n%s", q, got, want, r)
	}
	allow := r.allow(q)
	switch {
	case len(want) > 0:
		return
	case allow == "" && verdict != NoRoute:
		t.Fatalf("%+v: verdict %d, want NoRoute of\n%s", q, verdict, r)
	case allow != "" && (verdict != MethodNotAllowed || string(m.AppendAllow(nil)) != allow):
		t.Fatalf("%+v: verdict %d, Allow %q, want %q of\n%s", q, verdict, m.AppendAllow(nil), allow, r)
	}
}

func checkCaptures(t *testing.T, pattern, path string, m *Match[int]) {
	t.Helper()
	for i, s := range segmentsOf(pattern) {
		name, isCapture := strings.CutPrefix(s, "{")
		if !isCapture {
			continue
		}
		name = strings.TrimSuffix(name, "}")
		if got, ok := m.Capture(name); !ok || string(got) != segmentsOf(path)[i] {
			t.Fatalf("%s on %s: {%s} is %q", pattern, path, name, got)
		}
	}
}

func (r reference) String() string {
	var b strings.Builder
	for i, route := range r {
		b.WriteString(strings.Join([]string{
			"\t", string(rune('0' + i%10)), route.Host, route.Path,
			strings.Join(route.Methods, ","), showConditions(route.Headers), route.Guard, "\n",
		}, " "))
	}
	return b.String()
}

func TestTable_AgreesWithReference(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		routes := randomRoutes(rng, 1+rng.IntN(60))
		table, err := New(routes)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for range 100 {
			checkAgainst(t, routes, table, randomRequest(rng))
		}
	}
}

func TestNew_RefusesWhatReferenceFindsAmbiguous(t *testing.T) {
	ambiguous := 0
	for seed := range uint64(500) {
		rng := rand.New(rand.NewPCG(seed, 2))
		routes := make(reference, 35)
		for i := range routes {
			routes[i] = randomRoute(rng)
		}
		want := false
		for i := range routes {
			want = want || slices.ContainsFunc(routes[:i], func(r Route[int]) bool { return conflicts(r, routes[i]) })
		}
		if want {
			ambiguous++
		}
		if _, err := New(routes); (err != nil) != want {
			t.Fatalf("seed %d: error %v, want one: %v, for\n%s", seed, err, want, routes)
		}
	}
	if ambiguous < 100 || ambiguous > 400 {
		t.Errorf("%d of 500 tables are ambiguous: the test says little", ambiguous)
	}
}

func TestPrefix_TakesOffWhatItsRouteMatched(t *testing.T) {
	for seed := range uint64(5000) {
		rng := rand.New(rand.NewPCG(seed, 3))
		route, q := randomRoute(rng), randomRequest(rng)
		segments := segmentsOf(strings.TrimSuffix(route.Path, "/*"))
		if len(segments) == 0 || !pathMatches(route.Path, q.path) {
			continue
		}
		n := 1 + rng.IntN(len(segments))
		text := "/" + strings.Join(segments[:n], "/") + "/" // the final slash has no meaning
		prefix, err := NewPrefix(text, route.Path)
		if err != nil {
			t.Fatalf("%s of %s: %v", text, route.Path, err)
		}
		want := "/" + strings.Join(segmentsOf(q.path)[n:], "/")
		if rest, ok := prefix.Strip([]byte(q.path)); !ok || string(rest) != want {
			t.Fatalf("%s off %s: %q, %v, want %q", text, q.path, rest, ok, want)
		}
	}
}

// What comes next after a guard that did not hold is what would have been found
// without its route.
func TestNext_GoesOnAsIfTheGuardedRouteWereNotThere(t *testing.T) {
	turned := 0
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 5))
		routes := randomRoutes(rng, 1+rng.IntN(60))
		all := newTable(t, routes)
		var open reference
		for _, r := range routes {
			if r.Guard != "a" { // those that are called a do not hold
				open = append(open, r)
			}
		}
		rest := newTable(t, open)
		for range 100 {
			q := randomRequest(rng)
			got, n := firstOpen(all, routes, q)
			turned += n
			if want, _ := firstOpen(rest, open, q); got != want {
				t.Fatalf("seed %d, %+v: route %d, want %d of\n%s", seed, q, got, want, routes)
			}
		}
	}
	if turned < 100 {
		t.Errorf("only %d candidates were turned down: the test says little", turned)
	}
}

func newTable(t *testing.T, routes reference) *Table[int] {
	t.Helper()
	table, err := New(routes)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// firstOpen returns the target of the first candidate whose guard holds, -1 if
// there is none, and how many were turned down.
func firstOpen(table *Table[int], routes reference, q request) (target, turned int) {
	var m Match[int]
	v := table.Match([]byte(q.host), []byte(q.path), []byte(q.method), q.headers, &m)
	for ; v == Found; v = m.Next() {
		if routes[m.Route()].Guard != "a" {
			return *m.Target, turned
		}
		turned++
	}
	return -1, turned
}

func FuzzMatch(f *testing.F) {
	f.Add(uint64(1), "a.test", "/a/b", "GET", byte(0))
	f.Add(uint64(2), "B.A.test:80", "/%61/a%2Fb//", "HEAD", byte(3))
	f.Add(uint64(3), "[::1]:80", "*", "", byte(7))
	f.Fuzz(func(t *testing.T, seed uint64, host, path, method string, fields byte) {
		rng := rand.New(rand.NewPCG(seed, 4))
		routes := randomRoutes(rng, 30)
		table, err := New(routes)
		if err != nil {
			t.Fatal(err)
		}
		var has headers
		for i, h := range someHeaders {
			if fields&(1<<i) != 0 {
				has = append(has, h)
			}
		}
		checkAgainst(t, routes, table, request{host, path, method, has})
	})
}

func FuzzNew(f *testing.F) {
	f.Add("shop.example.com", "/{a}/b%20/*", "GET", "x-a", "1")
	f.Add("*.[::1]", "/..;/", "get", "", " ")
	f.Fuzz(func(t *testing.T, host, path, method, name, value string) {
		route := Route[int]{Host: host, Path: path, Methods: []string{method}, Headers: []HeaderCondition{{name, value}}}
		table, err := New([]Route[int]{route})
		if err != nil {
			return
		}
		var m Match[int]
		has := headers{{name, value}}
		wild, _ := strings.CutPrefix(host, "*.")
		if v := table.Match([]byte("x."+wild), []byte(path), []byte(method), has, &m); host != wild && v != Found {
			t.Fatalf("%+v: verdict %d for what is written in it", route, v)
		}
		if v := table.Match([]byte(host), []byte(path), []byte(method), has, &m); host == wild && v != Found {
			t.Fatalf("%+v: verdict %d for what is written in it", route, v)
		}
		if _, err := New([]Route[int]{route, route}); err == nil {
			t.Fatalf("%+v: twice is no error", route)
		}
	})
}

func FuzzNormalize(f *testing.F) {
	for _, path := range []string{"/a/../b", "/%2e%2E/x", "/a/./b/..", "//..//.", "/..;/", `/..\x`, "*", "", "..", "/a%2F../b"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		normal, ok := Normalize(nil, []byte(path))
		if !ok {
			if CheckPath([]byte(path)) == nil {
				t.Fatalf("%q passes and cannot be normalized", path)
			}
			return
		}
		if want := rfc3986(path); string(normal) != want {
			t.Fatalf("%q: %q, want %q", path, normal, want)
		}
		if err := CheckPath(normal); err != nil {
			t.Fatalf("%q: normalized to %q: %v", path, normal, err)
		}
		if again, ok := Normalize([]byte("before"), normal); !ok || string(again) != "before"+string(normal) {
			t.Fatalf("%q: normalized to %q, then to %q", path, normal, again)
		}
		inPlace := []byte(path)
		if inPlace, _ = Normalize(inPlace[:0], inPlace); !bytes.Equal(inPlace, normal) {
			t.Fatalf("%q: %q, in place %q", path, normal, inPlace)
		}
	})
}

// rfc3986 is remove_dot_segments of section 5.2.4, letter by letter, for a path
// that begins with a slash; but an encoded dot is a dot.
func rfc3986(input string) string {
	if !strings.HasPrefix(input, "/") {
		return input
	}
	var output string
	for input != "" {
		end := strings.IndexByte(input[1:], '/') + 1
		if end == 0 {
			end = len(input)
		}
		segment, rest := input[:end], input[end:]
		switch strings.ReplaceAll(strings.ReplaceAll(segment, "%2e", "."), "%2E", ".") {
		case "/.": // 2B
			input = "/" + strings.TrimPrefix(rest, "/")
		case "/..": // 2C
			input = "/" + strings.TrimPrefix(rest, "/")
			output = output[:max(0, strings.LastIndexByte(output, '/'))]
		default: // 2E
			output += segment
			input = rest
			continue
		}
		if rest == "" { // "/." or "/.." at the end leave a slash
			return output + "/"
		}
	}
	return output
}
