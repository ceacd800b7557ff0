package weir_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
)

// from is a configuration of service web with endpoints from a file.
func from(path string) weir.Config {
	return weir.Config{Services: map[string]config.Service{"web": {
		Provider: &config.Provider{File: &config.FileProvider{Path: path}},
	}}, Errors: "verbose"}
}

// writeList replaces a file with a list of endpoints.
func writeList(t *testing.T, path string, urls ...string) {
	t.Helper()
	temporary := path + ".new"
	if err := os.WriteFile(temporary, []byte("["+strings.Join(urls, ", ")+"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(temporary, path); err != nil {
		t.Fatal(err)
	}
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("within 30 s it does not come to that %s", what)
		}
	}
}

func (r router) answers(t *testing.T, want string) func() bool {
	return func() bool {
		t.Helper()
		status, text := get(t, r.url+"/")
		if status != 200 {
			t.Fatalf("a request is answered %d %s", status, text)
		}
		return text == want
	}
}

func TestSources_ServeWhatTheyTellAndHandOver(t *testing.T) {
	a, b := app(t, "a"), app(t, "b")
	one, two := filepath.Join(t.TempDir(), "one.yaml"), filepath.Join(t.TempDir(), "two.yaml")
	writeList(t, one, a.URL)
	r := startConfigured(t, from(one))
	r.answers(t, "a /")() // the first request has waited
	r.mustApply(t, from(two))
	for range 5 { // nobody knows anything better yet
		if !r.answers(t, "a /")() {
			t.Fatal("before the new source has told anything, another endpoint answers")
		}
	}
	writeList(t, two, b.URL)
	eventually(t, "the new source has taken over", r.answers(t, "b /"))
	writeList(t, one, a.URL, "http://127.0.0.1:1")
	if text := r.must(t, 200, "GET", "/v1/services/web", ""); strings.Contains(text, a.URL) {
		t.Errorf("the old source is still listened to: %s", text)
	}
	c := from(two)
	c.Services["web"] = config.Service{Endpoints: []config.Endpoint{{URL: a.URL}}}
	r.mustApply(t, c)
	eventually(t, "a source that was taken out is forgotten", func() bool {
		return !strings.Contains(r.must(t, 200, "GET", "/v1/services/web", ""), b.URL)
	})
	r.answers(t, "a /")()
}

func TestSources_GoOnAcrossAReloadOfSomethingElse(t *testing.T) {
	a := app(t, "a")
	file := filepath.Join(t.TempDir(), "one.yaml")
	writeList(t, file, a.URL)
	r := startConfigured(t, from(file))
	r.answers(t, "a /")()
	since := sinceOf(t, r)
	c := from(file)
	web := c.Services["web"]
	web.Balance = "least_load"
	c.Services["web"] = web
	r.mustApply(t, c)
	if again := sinceOf(t, r); again != since {
		t.Errorf("the source began anew: %s, and before %s", again, since)
	}
}

// sinceOf returns since when the source of service web is as it is.
func sinceOf(t *testing.T, r router) string {
	t.Helper()
	text := r.must(t, 200, "GET", "/v1/services/web", "")
	_, sources, found := strings.Cut(text, `"sources"`)
	_, since, ok := strings.Cut(sources, `"since": "`)
	if !found || !ok {
		t.Fatalf("no source is shown: %s", text)
	}
	since, _, _ = strings.Cut(since, `"`)
	return since
}

func TestSources_KeepWhatWasKnownWhenTheyFail(t *testing.T) {
	a := app(t, "a")
	file := filepath.Join(t.TempDir(), "one.yaml")
	writeList(t, file, a.URL)
	r := startConfigured(t, from(file))
	r.answers(t, "a /")()
	if err := os.WriteFile(file, []byte("- nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the source is shown as failing", func() bool {
		text := r.must(t, 200, "GET", "/v1/services/web", "")
		return strings.Contains(text, `"state": "failing"`) && strings.Contains(text, "one.yaml:1")
	})
	r.answers(t, "a /")()
	writeList(t, file, a.URL)
	eventually(t, "it is well again", func() bool {
		return strings.Contains(r.must(t, 200, "GET", "/v1/services/web", ""), `"state": "ok"`)
	})
}

func TestSources_OfAVersionAreOfThatVersionAlone(t *testing.T) {
	a := app(t, "a")
	file := filepath.Join(t.TempDir(), "one.yaml")
	writeList(t, file, a.URL)
	c := shop("", "", map[string]int{"v1": 1})
	c.Services["shop"].Versions["v1"] = config.Version{Provider: &config.Provider{File: &config.FileProvider{Path: file}}}
	r := startConfigured(t, c)
	r.answers(t, "a /")()
	if _, text := get(t, r.url+"/shop/v1/x"); text != "a /x" {
		t.Errorf("the version is answered by %q", text)
	}
}

func TestNew_PlacesWhatIsWrongWithASource(t *testing.T) {
	c := weir.Config{Services: map[string]config.Service{"web": {Provider: &config.Provider{
		Etcd:      &config.EtcdProvider{Endpoints: []string{"ftp://x"}},
		DNS:       &config.DNSProvider{Name: "a b", Port: 80},
		ZooKeeper: &config.ZooKeeperProvider{Servers: []string{"zk"}, Prefix: "no-slash"},
	}}}}
	_, err := weir.New(c)
	if err == nil {
		t.Fatal("it was taken")
	}
	for _, want := range []string{"services.web.provider.etcd.endpoints[0]: ", "services.web.provider.dns.name: ", "services.web.provider.zookeeper.prefix: "} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is missing in: %v", want, err)
		}
	}
}
