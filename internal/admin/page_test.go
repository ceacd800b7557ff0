package admin

import (
	"io"
	"regexp"
	"strings"
	"testing"
)

func page(t *testing.T, options Options) (body, policy string) {
	t.Helper()
	response := ask(New(options), "GET", "/")
	content, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 {
		t.Fatalf("status %d, %v", response.StatusCode, err)
	}
	return string(content), response.Header.Get("Content-Security-Policy")
}

func TestPage_EscapesHostileNames(t *testing.T) {
	hostile := []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</script><b>`, `javascript:alert(1)`, `{{.Nonce}}`, "\xff<i>"}
	for _, name := range hostile {
		options := Options{Loopback: true, Verbose: true, Version: name, Services: list{{
			Name:      name,
			Strategy:  name,
			Balance:   name,
			Endpoints: []Endpoint{{Name: name, URL: name + "x", LastError: name, State: name, Source: name, Zone: name}},
			Sources:   []Source{{Kind: name, State: name, Error: name}},
			Split:     map[string]int{name: 1},
		}}}
		body, _ := page(t, options)
		if strings.Contains(name, "<") && strings.Contains(body, name) {
			t.Errorf("%q stands in the page as it is", name)
		}
		if n := strings.Count(body, "<script"); n != 1 {
			t.Errorf("%q: %d scripts in the page, want its own only", name, n)
		}
		for _, tag := range []string{"<img", "<b>", "<i>"} {
			if strings.Contains(body, tag) {
				t.Errorf("%q makes %s", name, tag)
			}
		}
	}
}

func TestPage_ShowsWhatThereIs(t *testing.T) {
	options := newOptions()
	options.Version = "v1.2.3"
	services := options.Services.(list)
	services[0].Endpoints[0].Source, services[0].Endpoints[0].Zone, services[0].Endpoints[0].Failures = "etcd", "eu", 7
	services[1].Split = map[string]int{"v2": 1, "v1": 9}
	services[1].Sources = []Source{{Kind: "dns", State: "ok"}, {Kind: "etcd", State: "failing", Since: begin}}
	body, _ := page(t, options)
	for _, want := range []string{
		"web", "shop/v@1", "http://10.0.0.1:80", "2026-01-02 02:04:05Z", "no endpoint yet", "v1.2.3",
		`class="up"`, `class="resting"`, "step 2, until 2026-01-02 02:04:06Z", "3 / 9",
		"failover · round_robin · 3 / 20 in flight · 2 waiting",
		"from etcd · eu", "failures: 7", "v1: 9 · v2: 1", "etcd is failing since 2026-01-02 02:04:05Z",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(body, "dns is") {
		t.Error("the page tells of a source that is well")
	}
	if strings.Contains(body, "secret") {
		t.Error("the page shows a password")
	}
	if body, _ := page(t, Options{Loopback: true}); !strings.Contains(body, "No services yet.") {
		t.Error("a page without services does not say so")
	}
}

func TestPage_SaysNoMoreThanIsKnown(t *testing.T) {
	for word, e := range map[string]Endpoint{"up": {Up: true}, "down": {}, "draining": {State: "draining", Up: true}} {
		if got := state(e); got != word {
			t.Errorf("the state of %+v reads %q, want %q", e, got, word)
		}
		if got := rest(e); got != "" {
			t.Errorf("an endpoint that does not rest reads %q", got)
		}
	}
	for want, s := range map[string]Service{
		"":                               {},
		"hedge":                          {Strategy: "hedge"},
		"random · 1 in flight":           {Balance: "random", InFlight: 1},
		"0 / 5 in flight · 1000 waiting": {Concurrency: 5, QueueWaiting: 1000},
	} {
		if got := about(s); got != want {
			t.Errorf("%+v reads %q, want %q", s, got, want)
		}
	}
}

func TestPage_HasAStyleForEveryState(t *testing.T) {
	style := mustRead("page.css")
	for _, word := range []string{"up", "warming", "resting", "probing", "unhealthy", "draining", "down"} {
		for _, selector := range []string{"." + word + "::before", "." + word} {
			if !regexp.MustCompile(`(^|[,\s])` + regexp.QuoteMeta(selector) + `[\s,]`).MatchString(style) {
				t.Errorf("page.css has no %s", selector)
			}
		}
	}
}

func TestPage_NeedsNothingFromElsewhere(t *testing.T) {
	body, policy := page(t, newOptions())
	if m := regexp.MustCompile(`(?i)(src|href|url)\s*[=(]\s*["']?(https?:)?//`).FindString(body); m != "" {
		t.Errorf("the page refers to %s", m)
	}
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "connect-src 'self'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("Content-Security-Policy %q lacks %s", policy, want)
		}
	}
	nonce := regexp.MustCompile(`script-src 'nonce-(\w+)'`).FindStringSubmatch(policy)
	if nonce == nil || strings.Count(body, `nonce="`+nonce[1]+`"`) != 2 {
		t.Errorf("style and script do not carry the nonce of the policy %q", policy)
	}
	if _, again := page(t, newOptions()); again == policy {
		t.Error("two answers have the same nonce")
	}
	for _, own := range []string{"light-dark(", "replaceChildren"} { // neither was filtered by the template
		if !strings.Contains(body, own) {
			t.Errorf("the page lacks %s", own)
		}
	}
}

func TestSecure_EveryAnswerCarriesTheFields(t *testing.T) {
	for _, target := range []string{"/", "/healthz", "/metrics", "/v1/services", "/nothing"} {
		for _, host := range []string{"localhost", "evil.example"} {
			header := ask(New(newOptions()), "GET", target, "Host: "+host).Header
			for name, want := range map[string]string{
				"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cache-Control": "no-store",
				"Cross-Origin-Resource-Policy": "same-origin", "Referrer-Policy": "no-referrer",
			} {
				if got := header.Get(name); got != want {
					t.Errorf("%s at %s: %s is %q, want %q", target, host, name, got, want)
				}
			}
			if policy := header.Get("Content-Security-Policy"); !strings.Contains(policy, "frame-ancestors 'none'") {
				t.Errorf("%s at %s: Content-Security-Policy is %q", target, host, policy)
			}
			if header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s at %s: pages of other origins may read it", target, host)
			}
		}
	}
}
