package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/internal/admin"
)

// startAPI starts an admin API, and returns its address.
func startAPI(t *testing.T, options admin.Options) string {
	t.Helper()
	options.Loopback = true
	server := httptest.NewServer(admin.New(options))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// command runs weir, and returns what it wrote and its exit code.
func command(args ...string) (stdout, stderr string, code int) {
	var out, err bytes.Buffer
	code = execute(args, &out, &err)
	return out.String(), err.String(), code
}

// shelf is the endpoints of service web, in memory.
type shelf struct{ list []admin.Description }

func (s *shelf) List(service, version string) ([]admin.Description, bool) {
	return s.list, service == "web" && version == ""
}

func (s *shelf) Change(_, _, name string, c admin.Change, may func(*admin.Description) bool) (*admin.Description, error) {
	i := slices.IndexFunc(s.list, func(d admin.Description) bool { return d.Name == name })
	switch {
	case i < 0 && !may(nil), i >= 0 && !may(&s.list[i]):
		return nil, admin.ErrPrecondition
	case i >= 0 && s.list[i].Source == "worker":
		return nil, &admin.Refusal{Status: 409, Code: "worker", Detail: "A worker leaves by itself."}
	case c.Kind == admin.Remove:
		s.list = slices.Delete(s.list, i, i+1)
		return nil, nil
	case i < 0:
		s.list = append(s.list, admin.Description{})
		i = len(s.list) - 1
	}
	if c.Kind == admin.Put {
		s.list[i] = *c.Put
	} else {
		s.list[i].Draining = c.Kind == admin.Drain
	}
	return &s.list[i], nil
}

func TestEndpoints_ChangeAtTheRouter(t *testing.T) {
	s := &shelf{list: []admin.Description{
		{Name: "one", URL: "http://same", Weight: 1},
		{Name: "two", URL: "http://same", Weight: 1},
		{Name: "w", URL: "worker:w", Weight: 1, Source: "worker"},
	}}
	address := startAPI(t, admin.Options{Endpoints: s})
	for _, tc := range []struct {
		args         string
		code         int
		stdout, errs string
	}{
		{"add web http://b/x?y=%2F --zone eu --label a=b --header X-A=b=c --weight 3 --concurrency 9", 0, "added http://b/x?y=%2F to web\n", ""},
		{"add web http://b/x?y=%2F", 0, "replaced http://b/x?y=%2F of web\n", ""},
		{"add web http://c --name three -o json", 0, `"name": "three"`, ""},
		{"add web http://c#d", 1, "", "weir: the router refuses: url: a fragment (#) is never sent; leave it out (bad_endpoint)\n"},
		{"drain web three", 0, "three of web drains: ", ""},
		{"drain web three --undo", 0, "three of web is given requests again\n", ""},
		{"remove web http://c", 0, "removed three from web\n", ""},
		{"remove web http://b/x?y=%2F -o json", 0, `"removed": true`, ""},
		{"remove web http://same", 1, "", "weir: service web has 2 endpoints at http://same; name one: one, two\n"},
		{"remove web nobody", 1, "", "weir: service web has no endpoint nobody; weir endpoints web lists them\n"},
		{"remove shop one", 1, "", "(unknown_service)"},
		{"remove web w", 1, "", "weir: the router refuses: A worker leaves by itself. (worker); weir endpoints drain does that\n"},
		{"remove web one", 0, "removed one from web\n", ""},
	} {
		stdout, stderr, code := command(slices.Concat([]string{"endpoints"}, strings.Fields(tc.args), []string{"--admin", address})...)
		if code != tc.code || !strings.Contains(stdout, tc.stdout) || !strings.Contains(stderr, tc.errs) || (stderr == "") != (tc.errs == "") {
			t.Errorf("weir endpoints %s: exit code %d, %q, %q", tc.args, code, stdout, stderr)
		}
	}
	if len(s.list) != 2 {
		t.Errorf("left are %v", s.list)
	}
}

func TestEndpointsAdd_SendsWhatFlagsSay(t *testing.T) {
	s := new(shelf)
	address := startAPI(t, admin.Options{Endpoints: s})
	_, stderr, code := command("endpoints", "add", "web", "unix:/run/a", "--name", "a", "--weight", "3", "--concurrency", "9",
		"--zone", "eu", "--label", "a=b", "--header", "X-A=b=c", "--admin", address)
	if code != 0 || len(s.list) != 1 {
		t.Fatalf("exit code %d, %s", code, stderr)
	}
	d := s.list[0]
	if d.URL != "unix:/run/a" || d.Name != "a" || d.Weight != 3 || d.Concurrency != 9 || d.Zone != "eu" || d.Labels["a"] != "b" || d.Headers["X-A"] != "b=c" {
		t.Errorf("the router got %+v", d)
	}
}

func TestReload_SaysWhatCheckSays(t *testing.T) {
	file := filepath.Join(t.TempDir(), "weir.yaml")
	if err := os.WriteFile(file, []byte("services:\n\tweb: {}\n  web: { balance: fair, endpionts: [] }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, checked, code := command("check", "-c", file)
		if code != exitFailed {
			t.Fatalf("weir check: exit code %d, %s", code, checked)
		}
		address := startAPI(t, admin.Options{Reload: func(context.Context) ([]string, error) {
			_, _, err := weir.Load(file)
			var list config.Problems
			wrong := &admin.ReloadError{Err: err}
			if errors.As(err, &list) {
				for _, p := range list {
					wrong.Problems = append(wrong.Problems, admin.Problem(p))
				}
			}
			return nil, wrong
		}})
		stdout, reloaded, code := command("reload", "--admin", address)
		if code != exitFailed || reloaded != checked || stdout != "" {
			t.Errorf("weir reload: exit code %d, %q\n%s\nand weir check says\n%s", code, stdout, reloaded, checked)
		}
		text := "services:\n  web: { balance: fair, endpionts: [] }\nroutes: [{ service: wbe }]\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReload_WhenItIsTakenOver(t *testing.T) {
	address := startAPI(t, admin.Options{Reload: func(context.Context) ([]string, error) { return []string{"a:1:1: odd\n    a\tb\n    \x1b"}, nil }})
	stdout, stderr, code := command("reload", "--admin", address)
	if code != 0 || stdout != "configuration and certificates were read again\n" || stderr != "warning: a:1:1: odd\n    a\tb\n    \uFFFD\n" {
		t.Errorf("exit code %d, %q, %q", code, stdout, stderr)
	}
	if stdout, _, _ := command("reload", "--admin", address, "-o", "json"); !strings.Contains(stdout, `"reloaded": true`) {
		t.Errorf("as JSON: %s", stdout)
	}
	address = startAPI(t, admin.Options{Reload: func(context.Context) ([]string, error) { return nil, errors.New("open weir.yaml: gone") }})
	if _, stderr, code := command("reload", "--admin", address); code != exitFailed || stderr != "weir: the router refuses: open weir.yaml: gone (bad_configuration)\n" {
		t.Errorf("a file that is gone: exit code %d, %q", code, stderr)
	}
}

func TestAdminClient_ShowsItsTokenAndHidesIt(t *testing.T) {
	address := startAPI(t, admin.Options{Token: "s3cret", Version: "9"})
	if _, stderr, code := command("status", "--admin", address); code != exitFailed ||
		stderr != "weir: the router refuses: Send the admin token as Authorization: Bearer. (unauthorized); give it by --token or WEIR_ADMIN_TOKEN\n" {
		t.Errorf("without a token: exit code %d, %q", code, stderr)
	}
	if _, stderr, code := command("status", "--admin", address, "--token", "s3cret"); code != 0 || stderr != "" {
		t.Errorf("with it: exit code %d, %q", code, stderr)
	}
	t.Setenv(adminTokenVariable, "s3cret")
	if _, stderr, code := command("status", "--admin", address); code != 0 || stderr != "" {
		t.Errorf("with it in the environment: exit code %d, %q", code, stderr)
	}
	if _, stderr, _ := command("status", "--admin", "http://weir.invalid:9900"); !strings.HasPrefix(stderr, "warning: the token goes to http://weir.invalid:9900 in clear text") {
		t.Errorf("a token over the network: %q", stderr)
	}
}

func TestAdminClient_TrustsNoAnswer(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"no JSON":    func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"other JSON": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"services": 3, "version": []}`)) },
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		},
		"no problem": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) },
		"half of it": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9")
			_, _ = w.Write([]byte("{"))
		},
		"empty error": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(400)
			_, _ = w.Write([]byte("{}"))
		},
	} {
		server := httptest.NewServer(answer)
		_, stderr, code := command("status", "--admin", server.URL)
		server.Close()
		if code != exitFailed || !strings.Contains(stderr, server.Listener.Addr().String()) {
			t.Errorf("%s: exit code %d, %q", name, code, stderr)
		}
	}
	hostile := admin.Service{Name: "a\x1b[2Jb\nc", Endpoints: []admin.Endpoint{{Name: "x\ty\rz", State: "\x07"}}}
	address := startAPI(t, admin.Options{Services: services{hostile}})
	for _, args := range [][]string{{"status"}, {"services"}, {"services", hostile.Name}, {"endpoints"}} {
		stdout, stderr, code := command(append(args, "--admin", address)...)
		if code != 0 || strings.ContainsAny(stdout, "\x1b\x07\r\t") {
			t.Errorf("weir %q: exit code %d, %q, %q", args, code, stdout, stderr)
		}
	}
}

type services []admin.Service

func (s services) Services() []admin.Service { return s }

func TestAdminBase_ReadsEveryForm(t *testing.T) {
	for written, base := range map[string]string{
		"127.0.0.1:9900": "http://127.0.0.1:9900", "[::1]:1": "http://[::1]:1", "localhost:9900": "http://localhost:9900",
		":9900": "http://localhost:9900", "0.0.0.0:9900": "http://localhost:9900",
		"http://a:1": "http://a:1", "https://a/": "https://a", "https://[::1]:1": "https://[::1]:1",
		"a": "", "9900": "", "ftp://a": "", "http://": "", "http://u@a": "", "http://a/x": "", "http://a?x": "", "a/b:1": "", "u@a:1": "", "a:": "",
	} {
		got, err := adminBase(written)
		if got != base || (err == nil) != (base != "") {
			t.Errorf("%q is read as %q (%v), want %q", written, got, err, base)
		}
	}
}
