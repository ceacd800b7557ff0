package compress

import (
	"strings"
	"testing"
)

// chosen returns the name of what a client gets; "" is content as it is.
func chosen(p *Policy, lines ...string) string {
	for i := range lines {
		lines[i] = "accept-encoding: " + lines[i]
	}
	x := asking(lines...)
	c := p.Negotiate(&x.Request)
	if c == None {
		return ""
	}
	return algorithmNames[p.algorithms[c-1]]
}

func TestPolicy_GivesClientsWhatTheyLikeBest(t *testing.T) {
	p := policy(t, Options{})
	for _, tc := range []struct {
		ask  []string
		want string
	}{
		{nil, ""},
		{[]string{""}, ""},
		{[]string{"gzip"}, "gzip"},
		{[]string{"GZip"}, "gzip"},
		{[]string{"x-gzip"}, "gzip"},
		{[]string{"zstd"}, "zstd"},
		{[]string{"gzip, zstd"}, "zstd"},
		{[]string{"gzip", "zstd"}, "zstd"},
		{[]string{"gzip;q=1.0, zstd;q=0.9"}, "gzip"},
		{[]string{"gzip;q=0.001, zstd;q=0"}, "gzip"},
		{[]string{"gzip ; Q=0.5 , zstd; q=0.25"}, "gzip"},
		{[]string{"gzip;q=0"}, ""},
		{[]string{"gzip;q=0.000"}, ""},
		{[]string{"*"}, "zstd"},
		{[]string{"*;q=0"}, ""},
		{[]string{"zstd;q=0, *"}, "gzip"},
		{[]string{"gzip;q=0.5, *;q=0.1"}, "gzip"},
		{[]string{"br, deflate"}, ""},
		{[]string{"identity"}, ""},
		{[]string{"identity, gzip"}, "gzip"},
		{[]string{"identity, gzip;q=0.5"}, ""},
		{[]string{"identity;q=0.5, gzip;q=0.5"}, "gzip"},
		{[]string{"identity;q=0, gzip;q=0.1"}, "gzip"},
		{[]string{"gzipp, gzi, gzip2"}, ""},
		{[]string{"gzip;q=2"}, ""},
		{[]string{"gzip;q=1.001"}, ""},
		{[]string{"gzip;q=0.1234"}, ""},
		{[]string{"gzip;q=-1"}, ""},
		{[]string{"gzip;q="}, ""},
		{[]string{"gzip;level=9"}, ""},
		{[]string{",, gzip ,,"}, "gzip"},
		{[]string{"gzip zstd"}, ""},
	} {
		if got := chosen(p, tc.ask...); got != tc.want {
			t.Errorf("a client that asks for %q gets %q, want %q", tc.ask, got, tc.want)
		}
	}
}

func TestPolicy_PrefersByItsOwnOrder(t *testing.T) {
	p := policy(t, Options{Algorithms: []string{"gzip", "zstd"}})
	if got := chosen(p, "zstd, gzip"); got != "gzip" {
		t.Errorf("a client that likes both gets %s, want the first of the policy's", got)
	}
	p = policy(t, Options{Algorithms: []string{"gzip"}})
	if got := chosen(p, "zstd, gzip;q=0.1"); got != "gzip" {
		t.Errorf("a client gets %q where there is only gzip", got)
	}
	if got := chosen(p, "zstd"); got != "" {
		t.Errorf("a client that asks for zstd gets %q where there is only gzip", got)
	}
}

// FuzzNegotiate_GivesOnlyWhatWasNamed has no client get a coding that it has not
// named.
func FuzzNegotiate_GivesOnlyWhatWasNamed(f *testing.F) {
	for _, seed := range []string{"gzip, zstd;q=0.5", "*;q=0.1,gzip;q=0", ";;,,=", "gzip;q=1.", "identity;q=1,x-gzip"} {
		f.Add(seed)
	}
	p := policy(f, Options{})
	f.Fuzz(func(t *testing.T, list string) {
		got := chosen(p, list)
		if got != "" && !strings.Contains(list, "*") && !strings.Contains(strings.ToLower(list), got) {
			t.Errorf("a client that asks for %q gets %s", list, got)
		}
	})
}
