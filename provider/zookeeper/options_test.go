package zookeeper

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// wrongs lists the options that an error says are wrong.
func wrongs(t *testing.T, err error) (list []string) {
	t.Helper()
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("%v joins nothing", err)
	}
	for _, one := range joined.Unwrap() {
		var p *Problem
		if !errors.As(one, &p) || p.Message == "" {
			t.Fatalf("%v is no *Problem", one)
		}
		list = append(list, p.Option)
	}
	return list
}

func TestNew_PlacesEveryMistake(t *testing.T) {
	one := []string{"a"}
	for name, tc := range map[string]struct {
		o    Options
		want []string
	}{
		"nothing":          {Options{}, []string{"servers", "service"}},
		"a slash":          {Options{Servers: one, Service: "a/b"}, []string{"service"}},
		"dots":             {Options{Servers: one, Service: ".."}, []string{"service"}},
		"control":          {Options{Servers: one, Service: "a\n", Prefix: "/\x00"}, []string{"service", "prefix"}},
		"relative":         {Options{Servers: one, Service: "a", Prefix: "weir"}, []string{"prefix"}},
		"two slashes":      {Options{Servers: one, Service: "a", Prefix: "/a//b"}, []string{"prefix"}},
		"times":            {Options{Servers: one, Service: "a", Session: time.Millisecond, Resync: -1}, []string{"session", "resync"}},
		"servers":          {Options{Service: "a", Servers: []string{"a", "", "a:0", "http://a:1", "a:b:c", "a,b", "a/b", "u@a"}}, []string{"servers[1]", "servers[2]", "servers[3]", "servers[4]", "servers[5]", "servers[6]", "servers[7]"}},
		"auth":             {Options{Servers: one, Service: "a", Auth: "secret"}, []string{"auth"}},
		"half an auth":     {Options{Servers: one, Service: "a", Auth: ":secret"}, []string{"auth"}},
		"all is well":      {Options{Servers: one, Service: "a", Auth: "u:p:q", Prefix: "/a/b/", Session: time.Second, Resync: time.Second}, nil},
		"least of options": {Options{Servers: one, Service: "a"}, nil},
	} {
		_, err := New(tc.o)
		if got := wrongs(t, err); !slices.Equal(got, tc.want) {
			t.Errorf("%s: wrong are %v, want %v: %v", name, got, tc.want, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v shows a password", name, err)
		}
	}
}

func TestNew_WritesServersInFull(t *testing.T) {
	p, err := New(Options{Service: "web", Servers: []string{"a", "b:1", "10.0.0.1", "[::1]", "::1", "[::1]:7"}})
	if err != nil {
		t.Fatal(err)
	}
	want := "a:2181 b:1 10.0.0.1:2181 [::1]:2181 [::1]:2181 [::1]:7"
	if got := strings.Join(p.o.Servers, " "); got != want {
		t.Errorf("the servers are %s, want %s", got, want)
	}
}

func TestProvider_PathHasOneSlashBetweenItsParts(t *testing.T) {
	for prefix, want := range map[string]string{"": "/weir/web", "/": "/web", "/a/b/": "/a/b/web"} {
		p, err := New(Options{Servers: []string{"a"}, Service: "web", Prefix: prefix})
		if err != nil {
			t.Fatal(err)
		}
		if got := p.path(); got != want {
			t.Errorf("with prefix %q the service is %q, want %q", prefix, got, want)
		}
	}
}
