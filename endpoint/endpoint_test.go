package endpoint

import "testing"

func TestParseAddress_ReadsEveryFormAndWritesItBack(t *testing.T) {
	for _, tc := range []struct{ raw, network, dial, authority, text string }{
		{"http://10.0.0.1:8000", "tcp", "10.0.0.1:8000", "10.0.0.1:8000", "http://10.0.0.1:8000"},
		{"http://a.example", "tcp", "a.example:80", "a.example", "http://a.example"},
		{"https://a.example/", "tcp", "a.example:443", "a.example", "https://a.example"},
		{"https://a.example:8443/base?k=v", "tcp", "a.example:8443", "a.example:8443", "https://a.example:8443/base?k=v"},
		{"http://[::1]:9001", "tcp", "[::1]:9001", "[::1]:9001", "http://[::1]:9001"},
		{"http://[::1]", "tcp", "[::1]:80", "[::1]", "http://[::1]"},
		{"http://a.example/a%2Fb", "tcp", "a.example:80", "a.example", "http://a.example/a%2Fb"},
		{"unix:/run/app.sock", "unix", "/run/app.sock", "localhost", "unix:/run/app.sock"},
	} {
		a, err := ParseAddress(tc.raw)
		if err != nil {
			t.Errorf("ParseAddress(%q): %v", tc.raw, err)
			continue
		}
		network, dial := a.Dial()
		if network != tc.network || dial != tc.dial || a.Authority() != tc.authority || a.String() != tc.text {
			t.Errorf("ParseAddress(%q) = %s %s, Host %s, %s; want %s %s, Host %s, %s", tc.raw,
				network, dial, a.Authority(), a, tc.network, tc.dial, tc.authority, tc.text)
		}
	}
}

func TestParseAddress_RefusesWhatIsNoAddress(t *testing.T) {
	for _, raw := range []string{"", "localhost:8000", "http://", "http://:80", "ftp://a", "unix:rel.sock", "http://a b/", "//a"} {
		if a, err := ParseAddress(raw); err == nil {
			t.Errorf("ParseAddress(%q) = %v, want an error", raw, a)
		}
	}
}
