package dns

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirproxy/weir/provider"
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
		var p *provider.Problem
		if !errors.As(one, &p) || p.Message == "" {
			t.Fatalf("%v is no *provider.Problem", one)
		}
		list = append(list, p.Option)
	}
	return list
}

func TestNew_PlacesEveryMistake(t *testing.T) {
	label := strings.Repeat("a", 63)
	for name, tc := range map[string]struct {
		o    Options
		want []string
	}{
		"nothing":        {Options{}, []string{"name"}},
		"a dot":          {Options{Name: "."}, []string{"name"}},
		"two dots":       {Options{Name: "a..b"}, []string{"name"}},
		"an address":     {Options{Name: "10.0.0.1"}, []string{"name"}},
		"a URL":          {Options{Name: "http://a"}, []string{"name"}},
		"beyond ASCII":   {Options{Name: "bücher.example"}, []string{"name"}},
		"a long label":   {Options{Name: label + "a"}, []string{"name"}},
		"a long name":    {Options{Name: strings.Repeat(label+".", 4)}, []string{"name"}},
		"type, scheme":   {Options{Name: "a", Type: "mx", Scheme: "tcp"}, []string{"type", "scheme"}},
		"port":           {Options{Name: "a", Port: 65536}, []string{"port"}},
		"port of SRV":    {Options{Name: "a", SRV: true, Port: 80}, []string{"port"}},
		"priorities":     {Options{Name: "a", AllPriorities: true}, []string{"all_priorities"}},
		"times":          {Options{Name: "a", Timeout: -1, MinTTL: -1, MaxTTL: -2}, []string{"timeout", "min_ttl", "max_ttl"}},
		"reversed":       {Options{Name: "a", MinTTL: 2 * time.Second, MaxTTL: time.Second}, []string{"max_ttl"}},
		"servers":        {Options{Name: "a", Servers: []string{"a", "", "a:0", "http://a", "a:b:c", "a/b", "::1", "[::1]:53", "fe80::1%eth0"}}, []string{"servers[1]", "servers[2]", "servers[3]", "servers[4]", "servers[5]"}},
		"many servers":   {Options{Name: "a", Servers: slices.Repeat([]string{"a"}, 17)}, []string{"servers"}},
		"all is well":    {Options{Name: "a.example.", Type: "aaaa", Port: 1, Scheme: "https", Timeout: time.Second}, nil},
		"a long minimum": {Options{Name: "_http._tcp.a", SRV: true, AllPriorities: true, MinTTL: time.Hour}, nil},
	} {
		if _, err := New(tc.o); !slices.Equal(wrongs(t, err), tc.want) {
			t.Errorf("%s: wrong are %v, want %v: %v", name, wrongs(t, err), tc.want, err)
		}
	}
}

func writeResolvConf(t *testing.T, text string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestConf_IsThatOfTheSystem(t *testing.T) {
	file := writeResolvConf(t, `# a comment
; another one
nameserver 192.0.2.1 # and one more
nameserver nonsense
nameserver fe80::1%eth0
nameserver 2001:db8::1
nameserver 192.0.2.4
domain old.example
search A.example. b.example no..name
options ndots:20 timeout:7 attempts:9 rotate ndots:x
options
`)
	c := Options{resolvConf: file}.conf()
	if want := []string{"192.0.2.1:53", "[fe80::1%eth0]:53", "[2001:db8::1]:53"}; !slices.Equal(c.servers, want) {
		t.Errorf("the servers are %q, want %q", c.servers, want)
	}
	if want := []string{"a.example.", "b.example."}; !slices.Equal(c.search, want) {
		t.Errorf("the search list is %q, want %q", c.search, want)
	}
	if c.ndots != 15 || c.timeout != 7*time.Second || c.attempts != 5 {
		t.Errorf("ndots, timeout and attempts are %d, %v and %d, want their bounds", c.ndots, c.timeout, c.attempts)
	}
	if c := (Options{resolvConf: file, Timeout: time.Second}).conf(); c.timeout != time.Second {
		t.Errorf("the timeout is %v, want that of the options", c.timeout)
	}
	none := Options{resolvConf: filepath.Join(t.TempDir(), "none")}.conf()
	if want := []string{"127.0.0.1:53", "[::1]:53"}; !slices.Equal(none.servers, want) || none.attempts != 2 || none.ndots != 1 {
		t.Errorf("without a file it is %+v", none)
	}
	if c := (Options{resolvConf: file, Servers: []string{"a:53"}}).conf(); len(c.search) > 0 || len(c.servers) != 1 {
		t.Errorf("with servers of its own it is %+v", c)
	}
}

func TestConf_SearchesAsTheSystemDoes(t *testing.T) {
	c := conf{search: []string{"a.example.", "b.example."}, ndots: 2}
	for name, want := range map[string]string{
		"web":           "web.a.example. web.b.example. web.",
		"Web.shop":      "web.shop.a.example. web.shop.b.example. web.shop.",
		"web.shop.corp": "web.shop.corp. web.shop.corp.a.example. web.shop.corp.b.example.",
		"web.":          "web.",
		"localhost":     "localhost.",
		"app.localhost": "app.localhost.",
		strings.Repeat(strings.Repeat("a", 60)+".", 4) + "aaa": strings.Repeat(strings.Repeat("a", 60)+".", 4) + "aaa.",
	} {
		if got := strings.Join(c.names(name), " "); got != want {
			t.Errorf("%s is asked for as %s, want %s", name, got, want)
		}
	}
}
