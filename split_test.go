package weir_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
)

// shop is a service with two versions, whose requests are split among them.
func shop(v1, v2 string, split map[string]int) weir.Config {
	version := func(url string) config.Version {
		if url == "" {
			return config.Version{}
		}
		return config.Version{Endpoints: []config.Endpoint{{URL: url}}}
	}
	return weir.Config{
		Services: map[string]config.Service{"shop": {
			Versions: map[string]config.Version{"v1": version(v1), "v2": version(v2)}, Split: split,
		}},
		Routes: []config.Route{
			{Service: "shop"},
			{Service: "shop@v2", Match: config.Match{Path: "/two/*"}},
			{Service: "{service}@{version}", Match: config.Match{Path: "/{service}/{version}/*"}, StripPrefix: "/{service}/{version}", Fallthrough: true},
		},
	}
}

// share sends requests, and counts those that each version answers.
func (r router) share(t *testing.T, n int, user func(i int) string) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for i := range n {
		_, text := getWith(t, r.url+"/", "example.com", user(i))
		counts[strings.Fields(text)[0]]++
	}
	return counts
}

func anybody(int) string { return "" }

func TestVersions_AreReachedByTheirName(t *testing.T) {
	r := startConfigured(t, shop(app(t, "v1").URL, app(t, "v2").URL, map[string]int{"v1": 1}))
	for path, want := range map[string]string{
		"/shop/v1/a%2Fb?x=y": "v1 /a%2Fb?x=y",
		"/shop/v2/c":         "v2 /c",
		"/two/d":             "v2 /two/d",
		"/shop/v3/e":         "v1 /shop/v3/e", // there is none: it falls through, and the split decides
		"/f":                 "v1 /f",
	} {
		if status, text := get(t, r.url+path); status != 200 || text != want {
			t.Errorf("%s is answered %d %q, want %q", path, status, text, want)
		}
	}
}

func TestSplit_DealsRequestsOutByShare(t *testing.T) {
	r := startConfigured(t, shop(app(t, "v1").URL, app(t, "v2").URL, map[string]int{"v1": 90, "v2": 10}))
	for range 5 { // evenly, and not only in the end
		counts := r.share(t, 100, anybody)
		if n := counts["v2"]; n < 8 || n > 12 || counts["v1"] != 100-n {
			t.Fatalf("of 100 requests %v, want 90 and 10", counts)
		}
	}
}

func TestSplit_KeepsWhoIsHashedWithItsVersion(t *testing.T) {
	v1, v2 := app(t, "v1"), app(t, "v2")
	c := shop(v1.URL, v2.URL, map[string]int{"v1": 50, "v2": 50})
	s := c.Services["shop"]
	s.HashOn = `request.headers["x-path"]`
	c.Services["shop"] = s
	r := startConfigured(t, c)
	home := map[string]string{}
	visit := func(moves func(from string) bool) {
		t.Helper()
		for i := range 100 {
			user := fmt.Sprintf("user-%d", i)
			_, text := getWith(t, r.url+"/", "example.com", user)
			version := strings.Fields(text)[0]
			if before := home[user]; before != "" && before != version && !moves(before) {
				t.Fatalf("%s moves from %s to %s", user, before, version)
			}
			home[user] = version
		}
	}
	never := func(string) bool { return false }
	visit(never)
	visit(never)
	counts := map[string]int{}
	for _, version := range home {
		counts[version]++
	}
	if counts["v1"] < 25 || counts["v2"] < 25 {
		t.Errorf("100 users are spread as %v", counts)
	}
	s.Split = map[string]int{"v1": 80, "v2": 20}
	c.Services["shop"] = s
	r.mustApply(t, c)
	visit(func(from string) bool { return from == "v2" }) // whose share has shrunk
}

func TestSplit_PassesOverAVersionWithoutEndpoints(t *testing.T) {
	v1, v2 := app(t, "v1"), app(t, "v2")
	r := startConfigured(t, shop(v1.URL, "", map[string]int{"v1": 50, "v2": 50}))
	if counts := r.share(t, 20, anybody); counts["v1"] != 20 {
		t.Errorf("as long as v2 has no endpoints, 20 requests go to %v", counts)
	}
	r.mustApply(t, shop(v1.URL, v2.URL, map[string]int{"v1": 50, "v2": 50}))
	if counts := r.share(t, 20, anybody); counts["v2"] < 8 || counts["v2"] > 12 {
		t.Errorf("once it has one, 20 requests go to %v", counts)
	}
}

func TestSplit_WaitsWhenNoVersionHasEndpoints(t *testing.T) {
	c := shop("", "", map[string]int{"v1": 50, "v2": 50})
	s := c.Services["shop"]
	s.Queue.Timeout = config.Duration(time.Millisecond)
	c.Services["shop"] = s
	r := startConfigured(t, c)
	if status, text := get(t, r.url+"/"); status != 503 || !strings.Contains(text, "queue_timeout") {
		t.Errorf("a request that no version can take is answered %d %s", status, text)
	}
}
