package consul

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestNew_PlacesEveryMistake(t *testing.T) {
	file := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		o    Options
		want []string
	}{
		"nothing":     {Options{}, []string{"service"}},
		"a slash":     {Options{Service: "a/b"}, []string{"service"}},
		"control":     {Options{Service: "a\n", Token: "a\n"}, []string{"service", "token"}},
		"tags":        {Options{Service: "a", Tags: []string{"a", "", "\x00"}}, []string{"tags[1]", "tags[2]"}},
		"scheme":      {Options{Service: "a", Scheme: "ftp"}, []string{"scheme"}},
		"wait":        {Options{Service: "a", Wait: time.Millisecond}, []string{"wait"}},
		"a long wait": {Options{Service: "a", Wait: time.Hour}, []string{"wait"}},
		"address":     {Options{Service: "a", Address: "ftp://a"}, []string{"address"}},
		"a user":      {Options{Service: "a", Address: "http://u:secret@a"}, []string{"address"}},
		"port":        {Options{Service: "a", Address: "a:0"}, []string{"address"}},
		"query":       {Options{Service: "a", Address: "http://a?b"}, []string{"address"}},
		"useless":     {Options{Service: "a", Address: "http://a", CA: file, Cert: file, Key: file}, []string{"cert", "ca"}},
		"files":       {Options{Service: "a", CA: file, Cert: file, Key: file, Address: "a"}, []string{"cert", "ca"}},
		"no key":      {Options{Service: "a", Cert: file, Address: "a"}, []string{"key"}},
		"all is well": {Options{Service: "a", Address: "https://a/base", Token: "t", Datacenter: "dc", Tags: []string{"x"}, Scheme: "https", Wait: time.Second}, nil},
	} {
		_, err := New(tc.o)
		var got []string
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			for _, one := range joined.Unwrap() {
				var p *Problem
				if errors.As(one, &p) {
					got = append(got, p.Option)
				}
			}
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: wrong are %v, want %v: %v", name, got, tc.want, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v shows a password", name, err)
		}
	}
}

func TestNew_WritesTheAddressInFull(t *testing.T) {
	for raw, want := range map[string]string{
		"": "http://127.0.0.1:8500", "a": "http://a:8500", "a:1": "http://a:1", "http://a": "http://a:8500", "https://a:1/base/": "https://a:1/base", "[::1]": "http://[::1]:8500",
	} {
		p, err := New(Options{Service: "web", Address: raw})
		if err != nil {
			t.Errorf("%q: %v", raw, err)
			continue
		}
		if p.o.Address != want {
			t.Errorf("%q is read as %s, want %s", raw, p.o.Address, want)
		}
	}
	if got, _ := (Options{Address: "a", CA: "ca.pem"}).server(); got != "https://a:8500" {
		t.Errorf("with authorities a host is read as %s", got)
	}
}
