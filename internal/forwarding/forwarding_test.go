package forwarding

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

// trusting believes 10.0.0.0/8 and fd00::/8.
var trusting = Policy{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}}

const (
	stranger = "203.0.113.9:4711"
	friend   = "10.0.0.1:4711"
)

// newExchange is a request with these field lines from that peer; "" is a Unix
// socket. The fields are parsed as the server does it.
func newExchange(t testing.TB, peer string, lines ...string) *exchange.Exchange {
	t.Helper()
	x := &exchange.Exchange{ID: []byte("own-id"), Scratch: make([]byte, 0, 256)}
	if peer != "" {
		x.Client.Peer = netip.MustParseAddrPort(peer)
		x.Client.PeerText = x.Client.Peer.Addr().WithZone("").AppendTo(nil)
	}
	head := "GET / HTTP/1.1\r\nHost: shop.example\r\n" + strings.Join(append(lines, "\r\n"), "\r\n")
	if len(lines) == 0 {
		head = "GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n"
	}
	end := http1.HeadEnd([]byte(head), 0)
	lim := http1.Limits{HeaderBytes: 64 << 10, HeaderCount: 128}
	if _, err := http1.ParseRequest([]byte(head)[:end], &lim, &x.Request); err != nil {
		t.Fatalf("the request %q does not parse: %v", head, err)
	}
	return x
}

// passedOn returns the fields that an endpoint sees, but for Host.
func passedOn(x *exchange.Exchange) []string {
	var list []string
	for _, f := range x.Request.Header {
		if !f.Skip && f.ID != exchange.FieldHost {
			list = append(list, string(f.Name)+": "+string(f.Value))
		}
	}
	return list
}

func wantPassedOn(t *testing.T, x *exchange.Exchange, want ...string) {
	t.Helper()
	if got := passedOn(x); !slices.Equal(got, want) {
		t.Errorf("the endpoint sees\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func TestPolicy_TellsEndpointsWhoTheClientIs(t *testing.T) {
	x := newExchange(t, stranger)
	trusting.Apply(x)
	wantPassedOn(t, x, "X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: http", "X-Forwarded-Host: shop.example", "X-Request-Id: own-id")
	if x.Client.Addr.String() != "203.0.113.9" {
		t.Errorf("the client's address is %s, want the peer's", x.Client.Addr)
	}
}

func TestPolicy_SaysHTTPSOnSecuredConnections(t *testing.T) {
	x := newExchange(t, stranger)
	x.Client.TLS = true
	trusting.Apply(x)
	if got, _ := x.Request.Header.Get(exchange.FieldXForwardedProto); string(got) != "https" {
		t.Errorf("X-Forwarded-Proto is %q on a secured connection, want https", got)
	}
}

func TestPolicy_LeavesForwardedHostAwayWhereThereIsNoHost(t *testing.T) {
	x := newExchange(t, stranger)
	x.Request.Authority = nil
	trusting.Apply(x)
	if got, ok := x.Request.Header.Get(exchange.FieldXForwardedHost); ok {
		t.Errorf("X-Forwarded-Host is %q, want none for a request without a host", got)
	}
}

func TestPolicy_DropsWhatStrangersSayInEverySpelling(t *testing.T) {
	for _, line := range []string{
		"X-Forwarded-For: 6.6.6.6", "x-forwarded-for: 6.6.6.6", "X-FORWARDED-FOR: 6.6.6.6", "X_Forwarded_For: 6.6.6.6",
		"X-Forwarded_For: 6.6.6.6", "X_Forwarded-For: 6.6.6.6", "X.Forwarded.For: 6.6.6.6",
		"X-Forwarded-Proto: https", "X_FORWARDED_PROTO: https", "X-Forwarded-Host: evil", "x_forwarded_host: evil",
		"X-Forwarded-Port: 1", "X-Forwarded-Server: s", "X-Forwarded-Prefix: /p", "X-Forwarded: for=6.6.6.6", "X_Forwarded: y",
		"X-Real-IP: 6.6.6.6", "X_Real_IP: 6.6.6.6", "x-real_ip: 6.6.6.6",
		"Forwarded: for=6.6.6.6", "FORWARDED: for=6.6.6.6",
		"X-Request-Id: theirs", "x-request-id: theirs", "X_Request_Id: theirs",
	} {
		x := newExchange(t, stranger, line, "Accept: */*")
		trusting.Apply(x)
		want := []string{"Accept: */*", "X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: http", "X-Forwarded-Host: shop.example", "X-Request-Id: own-id"}
		if got := passedOn(x); !slices.Equal(got, want) {
			t.Errorf("with %q from a stranger the endpoint sees %q, want %q", line, got, want)
		}
		if x.ClientRequestID != nil {
			t.Errorf("with %q from a stranger the client's request id is %q, want none", line, x.ClientRequestID)
		}
	}
}

func TestPolicy_CannotBeDisarmedByConnection(t *testing.T) {
	const nominate = "Connection: X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host, X-Request-Id"
	x := newExchange(t, stranger, nominate)
	trusting.Apply(x)
	wantPassedOn(t, x, "X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: http", "X-Forwarded-Host: shop.example", "X-Request-Id: own-id")

	x = newExchange(t, friend, "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", "X-Forwarded-Host: a", "X-Request-Id: b", nominate)
	trusting.Apply(x)
	wantPassedOn(t, x, "X-Forwarded-For: 6.6.6.6, 10.0.0.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: a", "X-Request-Id: b")
}

func TestPolicy_AddsToWhatTrustedProxiesSay(t *testing.T) {
	x := newExchange(t, friend, "X-Forwarded-For: 198.51.100.7", "X-Forwarded-Proto: https", "X-Forwarded-Host: a.example", "X-Real-IP: 198.51.100.7", "Forwarded: for=198.51.100.7")
	trusting.Apply(x)
	wantPassedOn(t, x, "X-Forwarded-For: 198.51.100.7, 10.0.0.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: a.example",
		"X-Real-IP: 198.51.100.7", "Forwarded: for=198.51.100.7", "X-Request-Id: own-id")
}

func TestPolicy_AppendsToTheLastOfSeveralLines(t *testing.T) {
	x := newExchange(t, friend, "X-Forwarded-For: 198.51.100.7", "Accept: */*", "X-Forwarded-For: 10.0.0.3")
	trusting.Apply(x)
	wantPassedOn(t, x, "X-Forwarded-For: 198.51.100.7", "Accept: */*", "X-Forwarded-For: 10.0.0.3, 10.0.0.1",
		"X-Forwarded-Proto: http", "X-Forwarded-Host: shop.example", "X-Request-Id: own-id")
}

func TestPolicy_DoesNotAppendToAnEmptyList(t *testing.T) {
	x := newExchange(t, friend, "X-Forwarded-For:")
	trusting.Apply(x)
	if got, _ := x.Request.Header.Get(exchange.FieldXForwardedFor); string(got) != "10.0.0.1" {
		t.Errorf("an empty X-Forwarded-For becomes %q, want the peer alone", got)
	}
}

func TestPolicy_DropsUnderscoresEvenFromTrustedProxies(t *testing.T) {
	x := newExchange(t, friend, "X_Forwarded_For: 6.6.6.6", "X-Forwarded-For: 198.51.100.7", "X_Real_IP: 6.6.6.6")
	trusting.Apply(x)
	for _, line := range passedOn(x) {
		if strings.Contains(line, "_") {
			t.Errorf("the endpoint sees %q, which no proxy writes so", line)
		}
	}
}

var lists = []struct {
	lines []string
	want  string
}{
	{nil, "10.0.0.1"},
	{[]string{"198.51.100.7"}, "198.51.100.7"},
	{[]string{"6.6.6.6, 198.51.100.7"}, "198.51.100.7"},
	{[]string{"6.6.6.6, 198.51.100.7, 10.0.0.2, 10.0.0.3"}, "198.51.100.7"},
	{[]string{"6.6.6.6", "198.51.100.7,10.0.0.2"}, "198.51.100.7"},
	{[]string{"198.51.100.7", "10.0.0.2", "10.0.0.3"}, "198.51.100.7"},
	{[]string{"10.0.0.2, 10.0.0.3"}, "10.0.0.2"},
	{[]string{"2001:db8::7"}, "2001:db8::7"},
	{[]string{"[2001:db8::7]:443"}, "2001:db8::7"},
	{[]string{"[2001:db8::7]"}, "2001:db8::7"},
	{[]string{"2001:db8::7, fd00::1"}, "2001:db8::7"},
	{[]string{"198.51.100.7:8080"}, "198.51.100.7"},
	{[]string{"::ffff:198.51.100.7"}, "198.51.100.7"},
	{[]string{"198.51.100.7, ::ffff:10.0.0.2"}, "198.51.100.7"},
	{[]string{"  198.51.100.7 ,\t10.0.0.2  "}, "198.51.100.7"},
	// What is no address ends the walk: left of it nothing is vouched for.
	{[]string{"garbage"}, "10.0.0.1"},
	{[]string{"198.51.100.7, unknown"}, "10.0.0.1"},
	{[]string{"198.51.100.7, unknown, 10.0.0.2"}, "10.0.0.2"},
	{[]string{"198.51.100.7,"}, "10.0.0.1"},
	{[]string{"198.51.100.7, _hidden, 203.0.113.5"}, "203.0.113.5"},
	{[]string{"1.2.3"}, "10.0.0.1"},
	{[]string{"1.2.3.4:x"}, "10.0.0.1"},
	{[]string{"1.2.3.4:99999"}, "10.0.0.1"},
	{[]string{"[2001:db8::7"}, "10.0.0.1"},
	{[]string{"[1.2.3.4]x"}, "10.0.0.1"},
	{[]string{strings.Repeat("1", 100)}, "10.0.0.1"},
}

func TestPolicy_TakesTheRightmostAddressThatIsNotTrusted(t *testing.T) {
	for _, tc := range lists {
		var lines []string
		for _, l := range tc.lines {
			lines = append(lines, "X-Forwarded-For: "+l)
		}
		x := newExchange(t, friend, lines...)
		trusting.Apply(x)
		if x.Client.Addr.String() != tc.want {
			t.Errorf("with X-Forwarded-For %q the client is %s, want %s", tc.lines, x.Client.Addr, tc.want)
		}
	}
}

func TestPolicy_TrustsWhateverFormThePeersAddressHas(t *testing.T) {
	for _, peer := range []string{"10.1.2.3:1", "[::ffff:10.1.2.3]:1", "[fd00::1]:1", "[fd00::1%eth0]:1"} {
		x := newExchange(t, peer, "X-Forwarded-For: 198.51.100.7")
		trusting.Apply(x)
		if x.Client.Addr.String() != "198.51.100.7" {
			t.Errorf("peer %s is not trusted: the client is %s", peer, x.Client.Addr)
		}
	}
}

func TestPolicy_TrustsNobodyByDefault(t *testing.T) {
	x := newExchange(t, friend, "X-Forwarded-For: 198.51.100.7")
	new(Policy).Apply(x)
	if x.Client.Addr.String() != "10.0.0.1" {
		t.Errorf("without trusted proxies the client is %s, want the peer", x.Client.Addr)
	}
}

func TestPolicy_TreatsUnixSocketsAsStrangersWithoutAddress(t *testing.T) {
	x := newExchange(t, "", "X-Forwarded-For: 6.6.6.6", "X-Request-Id: theirs")
	trusting.Apply(x)
	wantPassedOn(t, x, "X-Forwarded-Proto: http", "X-Forwarded-Host: shop.example", "X-Request-Id: own-id")
	if x.Client.Addr.IsValid() {
		t.Errorf("the client on a Unix socket has address %s", x.Client.Addr)
	}
}

func TestPolicy_KeepsRequestIDsOnlyFromTrustedProxies(t *testing.T) {
	long := strings.Repeat("x", 128)
	for _, tc := range []struct {
		why, peer string
		lines     []string
		kept      string
	}{
		{"a trusted proxy's", friend, []string{"X-Request-Id: theirs"}, "theirs"},
		{"a stranger's", stranger, []string{"X-Request-Id: theirs"}, ""},
		{"128 characters", friend, []string{"X-Request-Id: " + long}, long},
		{"129 characters", friend, []string{"X-Request-Id: " + long + "x"}, ""},
		{"an empty one", friend, []string{"X-Request-Id:"}, ""},
		{"one with a space", friend, []string{"X-Request-Id: a b"}, ""},
		{"one beyond ASCII", friend, []string{"X-Request-Id: caf\u00e9"}, ""},
		{"the first of two", friend, []string{"X-Request-Id: one", "X-Request-Id: two"}, "one"},
		{"the first that is one", friend, []string{"X-Request-Id: a b", "X-Request-Id: two"}, "two"},
	} {
		x := newExchange(t, tc.peer, tc.lines...)
		trusting.Apply(x)
		if string(x.ClientRequestID) != tc.kept {
			t.Errorf("%s: the client's request id is %q, want %q", tc.why, x.ClientRequestID, tc.kept)
		}
		want := tc.kept
		if want == "" {
			want = "own-id"
		}
		var sent []string
		for _, line := range passedOn(x) {
			if id, ok := strings.CutPrefix(line, "X-Request-Id: "); ok {
				sent = append(sent, id)
			}
		}
		if !slices.Equal(sent, []string{want}) {
			t.Errorf("%s: the endpoint sees the request ids %q, want %q alone", tc.why, sent, want)
		}
	}
}
