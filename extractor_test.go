package weir_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/balance"
	"github.com/weirproxy/weir/config"
)

// byFirstLabel sends shop.v1.example.com to version v1 of service shop.
func byFirstLabel(r weir.Request) (weir.Target, bool) {
	labels := strings.Split(r.Host(), ".")
	if len(labels) < 4 {
		return weir.Target{}, false
	}
	return weir.Target{Service: labels[0], Version: labels[1], Path: r.Header("X-Path")}, true
}

func TestExtractor_NamesTheServiceBeforeRoutesDo(t *testing.T) {
	v1, web := app(t, "v1"), app(t, "web")
	c := one(web.URL)
	c.Services["shop"] = config.Service{Versions: map[string]config.Version{"v1": {Endpoints: []config.Endpoint{{URL: v1.URL}}}}}
	c.Routes = []config.Route{{Service: "web"}}
	r := startProvided(t, c, weir.WithExtractor(weir.ExtractorFunc(byFirstLabel)))
	for _, tc := range []struct {
		host, path string
		status     int
		text       string
	}{
		{"shop.v1.example.com", "", 200, "v1 /a%2Fb"},
		{"shop.v1.example.com", "/other%2Fone", 200, "v1 /other%2Fone"},
		{"example.com", "", 200, "web /a%2Fb"},
		{"shop.v2.example.com", "", 404, ""},
		{"none.v1.example.com", "", 404, ""},
		{"shop.v1.example.com", "no/slash", 404, ""},
		{"shop.v1.example.com", "/../up", 404, ""},
		{"shop.v1.example.com", "/a?b", 404, ""},
	} {
		status, text := getWith(t, r.url+"/a%2Fb", tc.host, tc.path)
		if status != tc.status || tc.text != "" && text != tc.text {
			t.Errorf("%s with path %q is answered %d %q, want %d %q", tc.host, tc.path, status, text, tc.status, tc.text)
		}
	}
}

// last is a policy that takes the last endpoint that is free.
type last struct{ n int }

func (l last) Pick(c balance.Candidates) int {
	for i := l.n - 1; i >= 0; i-- {
		if c.Free(i) {
			return i
		}
	}
	return -1
}

func TestWithPolicy_ChoosesTheEndpoints(t *testing.T) {
	a, b := app(t, "a"), app(t, "b")
	r := startProvided(t, one(a.URL, b.URL), weir.WithPolicy("web", func(set []balance.Target, _ *atomic.Uint64) balance.Picker {
		return last{len(set)}
	}))
	for range 5 {
		if _, text := get(t, r.url+"/"); text != "b /" {
			t.Fatalf("%q answers, and not the last endpoint", text)
		}
	}
	b.Close()
	if _, text := get(t, r.url+"/"); text != "a /" {
		t.Errorf("with the last endpoint gone %q answers", text)
	}
}

// getWith is get with a Host, and with X-Path unless that is empty.
func getWith(t *testing.T, url, host, path string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	if path != "" {
		req.Header.Set("X-Path", path)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}
