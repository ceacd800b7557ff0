package forwarding

import (
	"slices"
	"strings"
	"testing"

	"github.com/weirproxy/weir/internal/exchange"
)

// both is everything that a route can ask for.
var both = Extras{Forwarded: true, Via: true}

// extra returns the fields that are there on request, as an endpoint sees them.
func extra(x *exchange.Exchange) (list []string) {
	for _, line := range passedOn(x) {
		if name, _, _ := strings.Cut(line, ":"); strings.EqualFold(name, "Forwarded") || strings.EqualFold(name, "Via") {
			list = append(list, line)
		}
	}
	return list
}

// forwarded is what an endpoint sees of such a request.
func forwarded(t *testing.T, e *Extras, peer, listener string, lines ...string) []string {
	t.Helper()
	x := newExchange(t, peer, lines...)
	x.Client.Listener = listener
	trusting.Apply(x)
	e.Apply(x)
	return extra(x)
}

func TestExtras_TellOfThisHop(t *testing.T) {
	for _, tc := range []struct {
		why, peer, listener string
		lines               []string
		want                []string
	}{
		{"a stranger", stranger, "10.0.0.5:8080", nil, []string{`Forwarded: for=203.0.113.9;host=shop.example;proto=http;by="10.0.0.5:8080"`, "Via: 1.1 weir"}},
		{"a stranger who tells tales", stranger, ":8080", []string{"Forwarded: for=6.6.6.6", "Via: 1.0 fred, 1.1 p.example.net"}, []string{"Via: 1.0 fred, 1.1 p.example.net, 1.1 weir", `Forwarded: for=203.0.113.9;host=shop.example;proto=http;by="_weir:8080"`}},
		{"a trusted proxy", friend, "[::1]:80", []string{"Forwarded: for=198.51.100.7;proto=https"}, []string{`Forwarded: for=198.51.100.7;proto=https, for=10.0.0.1;host=shop.example;proto=http;by="[::1]:80"`, "Via: 1.1 weir"}},
		{"a trusted proxy with two lines", friend, "0.0.0.0:80", []string{"forwarded: for=a", "VIA: 1.1 a", "Forwarded: for=b", "Via: 1.1 b"}, []string{"forwarded: for=a", "VIA: 1.1 a", `Forwarded: for=b, for=10.0.0.1;host=shop.example;proto=http;by="_weir:80"`, "Via: 1.1 b, 1.1 weir"}},
		{"empty lines", friend, "localhost:80", []string{"Forwarded:", "Via:"}, []string{`Forwarded: for=10.0.0.1;host=shop.example;proto=http;by="_weir:80"`, "Via: 1.1 weir"}},
		{"IPv6", "[2001:db8::9]:1", "[2001:db8::1]:443", nil, []string{`Forwarded: for="[2001:db8::9]";host=shop.example;proto=http;by="[2001:db8::1]:443"`, "Via: 1.1 weir"}},
		{"a Unix socket", "", "unix:/run/weir.sock", nil, []string{"Forwarded: for=unknown;host=shop.example;proto=http;by=_weir", "Via: 1.1 weir"}},
		{"Connection names them", friend, ":80", []string{"Connection: Forwarded, Via", "Forwarded: for=a", "Via: 1.1 a"}, []string{`Forwarded: for=a, for=10.0.0.1;host=shop.example;proto=http;by="_weir:80"`, "Via: 1.1 weir"}},
	} {
		if got := forwarded(t, &both, tc.peer, tc.listener, tc.lines...); !slices.Equal(got, tc.want) {
			t.Errorf("%s: the endpoint sees\n\t%s\nwant\n\t%s", tc.why, strings.Join(got, "\n\t"), strings.Join(tc.want, "\n\t"))
		}
	}
}

func TestExtras_QuoteWhatIsNoToken(t *testing.T) {
	x := newExchange(t, stranger)
	x.Client.Listener, x.Client.TLS = ":443", true
	for host, want := range map[string]string{
		"shop.example:8443": `host="shop.example:8443"`,
		"[::1]":             `host="[::1]"`,
		`a"b\c`:             `host="a\"b\\c"`,
		"a~b":               `host="a~b"`,
		"":                  "for=203.0.113.9;proto=https",
	} {
		x.Request.Authority = []byte(host)
		if got := string(both.appendElement(nil, x)); !strings.Contains(got, want) || !strings.Contains(got, ";proto=https;") {
			t.Errorf("for host %q it says %s, want %s in it", host, got, want)
		}
	}
}

func TestExtras_CallThemselvesAsTheyAreTold(t *testing.T) {
	named := both
	named.Pseudonym = []byte("edge+1.example")
	want := []string{`Forwarded: for=203.0.113.9;host=shop.example;proto=http;by="_edge-1.example:80"`, "Via: 1.1 edge+1.example"}
	if got := forwarded(t, &named, stranger, ":80"); !slices.Equal(got, want) {
		t.Errorf("the endpoint sees %q, want %q", got, want)
	}
}

func TestExtras_AreOnlyWhatIsAskedFor(t *testing.T) {
	lines := []string{"Forwarded: for=a", "Via: 1.1 a"}
	for _, tc := range []struct {
		extras Extras
		want   []string
	}{
		{Extras{}, []string{"Forwarded: for=a", "Via: 1.1 a"}},
		{Extras{Via: true}, []string{"Forwarded: for=a", "Via: 1.1 a, 1.1 weir"}},
		{Extras{Forwarded: true}, []string{`Forwarded: for=a, for=10.0.0.1;host=shop.example;proto=http;by="_weir:80"`, "Via: 1.1 a"}},
	} {
		if got := forwarded(t, &tc.extras, friend, ":80", lines...); !slices.Equal(got, tc.want) {
			t.Errorf("%+v: the endpoint sees %q, want %q", tc.extras, got, tc.want)
		}
	}
}

func TestExtras_TellOfTheVersionThatWasReceived(t *testing.T) {
	x := newExchange(t, stranger)
	x.Request.Minor = 0
	both.Apply(x)
	if got := extra(x); got[len(got)-1] != "Via: 1.0 weir" {
		t.Errorf("a request of HTTP/1.0 has %q", got)
	}
	for minor, want := range map[uint8]string{0: "1.1 back, 1.0 weir", 1: "1.1 back, 1.1 weir"} {
		resp := &exchange.Response{Minor: minor, Header: exchange.Header{{Name: []byte("via"), Value: []byte("1.1 back")}, {Name: []byte("Server"), Value: []byte("x")}}}
		both.OnResponse(x, resp)
		if got, _ := resp.Header.Lookup("Via"); string(got) != want || len(resp.Header) != 2 {
			t.Errorf("a response of HTTP/1.%d gets Via %q, want %q", minor, got, want)
		}
	}
	resp := new(exchange.Response)
	(&Extras{Forwarded: true}).OnResponse(x, resp)
	if len(resp.Header) > 0 {
		t.Error("a response gets a field that nobody asked for")
	}
}

func TestExtras_AllocateNothing(t *testing.T) {
	a := newAgain(t, "[fd00::1]:1", "Forwarded: for=198.51.100.7;proto=https", "Via: 1.1 a")
	a.x.Client.Listener = "10.0.0.5:8080"
	resp := &exchange.Response{Minor: 1, Header: make(exchange.Header, 0, 8)}
	for _, e := range []Extras{{}, both} {
		again := func() {
			a.apply(&trusting)
			e.Apply(a.x)
			resp.Header = resp.Header[:0]
			e.OnResponse(a.x, resp)
		}
		again() // the header grows once
		if n := testing.AllocsPerRun(100, again); n != 0 {
			t.Errorf("%+v costs %v allocations, want none", e, n)
		}
	}
}

// FuzzExtras_ElementIsOne has no host and no listener make more of an element than
// one.
func FuzzExtras_ElementIsOne(f *testing.F) {
	f.Add("shop.example", "10.0.0.1:80")
	f.Add(`a";for=6.6.6.6;x="`, "unix:/run/a\";b")
	f.Add(`a\`, "[::1%eth0]:80")
	f.Fuzz(func(t *testing.T, host, listener string) {
		x := newExchange(t, stranger)
		x.Request.Authority, x.Client.Listener = []byte(host), listener
		pairs := parameters(string(both.appendElement(nil, x)))
		want := []string{"for", "host", "proto", "by"}
		if host == "" {
			want = []string{"for", "proto", "by"}
		}
		if !slices.Equal(pairs, want) {
			t.Errorf("host %q and listener %q make parameters %q, want %q", host, listener, pairs, want)
		}
	})
}

// parameters returns the names of an element's parameters.
func parameters(element string) (names []string) {
	for element != "" {
		name, rest, _ := strings.Cut(element, "=")
		names = append(names, name)
		if strings.HasPrefix(rest, `"`) {
			i := 1
			for i < len(rest) && rest[i] != '"' {
				if rest[i] == '\\' {
					i++
				}
				i++
			}
			element = strings.TrimPrefix(rest[min(i+1, len(rest)):], ";")
			continue
		}
		_, element, _ = strings.Cut(rest, ";")
	}
	return names
}
