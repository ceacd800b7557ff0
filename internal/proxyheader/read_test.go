package proxyheader

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/pires/go-proxyproto"
)

// written is a header as a proxy writes it.
func written(t testing.TB, version byte, source, destination string) []byte {
	t.Helper()
	from, to := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(source)), net.TCPAddrFromAddrPort(netip.MustParseAddrPort(destination))
	text, err := proxyproto.HeaderProxyFromAddrs(version, from, to).Format()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// binaryHeader is a header of version 2 with that command, family and rest.
func binaryHeader(command, family byte, rest string) string {
	return string(proxyproto.SIGV2) + string([]byte{command, family, byte(len(rest) >> 8), byte(len(rest))}) + rest
}

func TestRead_TakesTheHeaderAndNotAByteMore(t *testing.T) {
	const request = "GET / HTTP/1.1\r\n\r\n"
	for what, tc := range map[string]struct{ head, want string }{
		"version 1":                          {"PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n", "192.0.2.7:56324"},
		"version 1 of IPv6":                  {"PROXY TCP6 2001:db8::7 2001:db8::1 56324 443\r\n", "[2001:db8::7]:56324"},
		"version 1 that does not know":       {"PROXY UNKNOWN\r\n", "invalid AddrPort"},
		"version 1 that does not say":        {"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", "invalid AddrPort"},
		"version 2":                          {string(written(t, 2, "192.0.2.7:1", "198.51.100.1:2")), "192.0.2.7:1"},
		"version 2 of IPv6":                  {string(written(t, 2, "[2001:db8::7]:1", "[2001:db8::1]:2")), "[2001:db8::7]:1"},
		"version 2 of an IPv4 in IPv6":       {string(written(t, 2, "[::ffff:192.0.2.7]:1", "[2001:db8::1]:2")), "192.0.2.7:1"},
		"version 2 of the proxy itself":      {binaryHeader(0x20, 0, ""), "invalid AddrPort"},
		"version 2 with more than that":      {binaryHeader(0x21, 0x11, "\xc0\x00\x02\x07\xc6\x33\x64\x01\x00\x01\x00\x02"+"\x04\x00\x03abc"), "192.0.2.7:1"},
		"version 2 of a Unix socket":         {binaryHeader(0x21, 0x31, strings.Repeat("\x00", 216)), "invalid AddrPort"},
		"version 2 of a datagram":            {binaryHeader(0x21, 0x12, "\xc0\x00\x02\x07\xc6\x33\x64\x01\x00\x01\x00\x02"), "invalid AddrPort"},
		"version 2 of nothing in particular": {binaryHeader(0x21, 0x00, ""), "invalid AddrPort"},
	} {
		in := strings.NewReader(tc.head + request)
		source, err := Read(iotest.OneByteReader(in))
		rest, _ := io.ReadAll(in)
		if err != nil || source.String() != tc.want || string(rest) != request {
			t.Errorf("%s gives %v, %v, and leaves %q; want %s", what, source, err, rest, tc.want)
		}
	}
}

func TestRead_RefusesWhatIsNone(t *testing.T) {
	for what, tc := range map[string]struct{ sent, want string }{
		"a request":                      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", ErrNone.Error()},
		"TLS":                            {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00", ErrNone.Error()},
		"a line without an end":          {"PROXY TCP4 " + strings.Repeat("1", 200), "longer than 107 bytes"},
		"a line with the wrong end":      {"PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\n" + strings.Repeat("\n", 100), "longer than 107 bytes"},
		"an address that is none":        {"PROXY TCP4 192.0.2.777 198.51.100.1 56324 443\r\n", "malformed"},
		"a family and another address":   {"PROXY TCP4 2001:db8::7 198.51.100.1 56324 443\r\n", "malformed"},
		"a port that is none":            {"PROXY TCP4 192.0.2.7 198.51.100.1 563240 443\r\n", "malformed"},
		"a second line in it":            {"PROXY TCP4 192.0.2.7\r\n", "malformed"},
		"a version that is not there":    {binaryHeader(0x31, 0x11, strings.Repeat("a", 12)), "malformed"},
		"addresses that are cut short":   {binaryHeader(0x21, 0x11, "\xc0\x00\x02"), "malformed"},
		"more than there is room for":    {string(proxyproto.SIGV2) + "\x21\x11\xff\xff", "at most 4096 are read"},
		"nothing":                        {"", io.EOF.Error()},
		"the beginning of one":           {"PROXY TCP4 192.0.", io.EOF.Error()},
		"the beginning of a binary one":  {string(proxyproto.SIGV2) + "\x21", io.ErrUnexpectedEOF.Error()},
		"a binary one that is cut short": {string(proxyproto.SIGV2) + "\x21\x11\x00\x0c\xc0", io.ErrUnexpectedEOF.Error()},
	} {
		source, err := Read(strings.NewReader(tc.sent))
		if err == nil || !strings.Contains(err.Error(), tc.want) || source.IsValid() {
			t.Errorf("%s gives %v, %v; want an error with %q", what, source, err, tc.want)
		}
	}
}

// FuzzRead: no bytes crash it, what is read is bounded, and a header that it takes is
// one that another reader takes, too.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n", "PROXY UNKNOWN\r\n", "PROXY TCP6 ::1 ::1 1 1\r\nGET /",
		binaryHeader(0x21, 0x11, "\xc0\x00\x02\x07\xc6\x33\x64\x01\x00\x01\x00\x02"), binaryHeader(0x20, 0, ""), "GET / HTTP/1.1\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		in := bytes.NewReader(sent)
		source, err := Read(in)
		taken := len(sent) - in.Len()
		if taken > fixedV2+longestV2 {
			t.Errorf("it takes %d bytes", taken)
		}
		if err != nil {
			if source.IsValid() {
				t.Errorf("an error comes with %v", source)
			}
			return
		}
		if _, err := parse(sent[:taken]); err != nil {
			t.Errorf("%q is taken, and is no header by itself: %v", sent[:taken], err)
		}
		if errors.Is(err, ErrNone) {
			t.Error("none is taken")
		}
	})
}
