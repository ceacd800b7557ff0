package observe

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/weirproxy/weir/internal/exchange"
)

var update = flag.Bool("update", false, "rewrite the golden files under testdata")

// lineCases are the exchanges that the golden files have a line each of.
var lineCases = []struct {
	name   string
	change func(*exchange.Exchange)
}{
	{"plain", func(*exchange.Exchange) {}},
	{"no fields at all", func(x *exchange.Exchange) { x.Request.Header = nil }},
	{"empty query", func(x *exchange.Exchange) { x.Request.Query = nil }},
	{"behind a trusted proxy, over TLS", func(x *exchange.Exchange) {
		x.Client.Addr = netip.MustParseAddr("2001:db8::9")
		x.Client.Peer = netip.MustParseAddrPort("[::ffff:10.0.0.1]:443")
		x.Client.TLS = true
		x.ClientRequestID = []byte("theirs-1")
	}},
	{"over a Unix socket", func(x *exchange.Exchange) {
		x.Client = exchange.Client{Listener: "unix:/run/weir.sock"}
	}},
	{"no endpoint could be reached", func(x *exchange.Exchange) {
		x.Outcome = exchange.Outcome{
			Service: "web", Index: -1, Status: 502, Attempts: 3, Duration: 2 * time.Second,
			Failure: exchange.Fail(exchange.CodeConnectFailed, "3 tried", errors.New("dial tcp 10.0.0.20:8000: connection refused")),
		}
	}},
	{"the client left", func(x *exchange.Exchange) {
		x.Outcome = exchange.Outcome{
			Service: "web", Index: -1, Attempts: 1, Duration: 70 * time.Second, RequestBytes: 1 << 33,
			Failure: exchange.Fail(exchange.CodeClientGone, "", nil),
		}
	}},
	{"answered by the third endpoint, after a wait", func(x *exchange.Exchange) {
		x.Outcome.Attempts = 3
		x.Outcome.Queued = 12 * time.Millisecond
		x.Outcome.Tries = []exchange.Try{
			{Endpoint: "http://10.0.0.18:8000", Duration: time.Second, Failure: exchange.Fail(exchange.CodeConnectTimeout, "within 1s", errors.New("dial tcp 10.0.0.18:8000: i/o timeout"))},
			{Endpoint: "b", Duration: 3100 * time.Microsecond, Status: 503},
			{Endpoint: "c d", Duration: 999, Failure: exchange.Fail(exchange.CodeCancelled, "", nil)},
		}
	}},
	{"malformed", func(x *exchange.Exchange) {
		x.Request = exchange.Request{}
		x.Outcome = exchange.Outcome{
			Index: -1, Status: 400, Duration: 17 * time.Microsecond,
			Failure: exchange.Fail(exchange.CodeMalformedRequest, "bare LF", nil),
		}
	}},
	{"hostile", func(x *exchange.Exchange) {
		x.Request.MethodName = []byte("GE\"T")
		x.Request.Authority = []byte("a\\b c")
		x.Request.Path = []byte("/\x1b[2J\x00\x7f\r\n{\"time\":1}")
		x.Request.Query = []byte("\xff\xc3(\xc2\x9b31m\u202egpj.exe")
		x.Request.Header = exchange.Header{
			{ID: exchange.FieldUserAgent, Value: []byte("na\xc3\xafve \xf0\x9f\xa6\x86 \xf3\xa0\x80\x81 \" \\")},
			{ID: exchange.FieldUserAgent, Value: []byte("second")},
			{ID: exchange.FieldTraceparent, Value: []byte("00-\"")},
		}
		x.Client.Addr = netip.MustParseAddr("fe80::1").WithZone("\"\n")
	}},
	{"long", func(x *exchange.Exchange) {
		x.Request.Path = append([]byte("/"), strings.Repeat("a", 5000)...)
		x.Request.Header = nil
	}},
}

func TestLine_Golden(t *testing.T) {
	for name, format := range lineFormats {
		t.Run(string(name), func(t *testing.T) {
			var got strings.Builder
			synctest.Test(t, func(*testing.T) {
				time.Sleep(1678 * time.Millisecond)
				for _, c := range lineCases {
					x := newExchange()
					c.change(x)
					x.Start = exchange.Now() - x.Outcome.Duration
					got.WriteString("# " + c.name + "\n" + string(format(nil, new(clock), x)))
				}
			})
			golden(t, "line."+string(name), got.String())
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; got:\n%s\nwant:\n%s", path, got, want)
	}
}

func TestLine_IsOneLineThatParses(t *testing.T) {
	for _, c := range lineCases {
		x := newExchange()
		c.change(x)
		line := appendJSONLine(nil, new(clock), x)
		if !json.Valid(line) || !utf8.Valid(line) {
			t.Errorf("%s: not JSON in UTF-8: %q", c.name, line)
		}
		for _, line := range [][]byte{line, appendTextLine(nil, new(clock), x)} {
			if n := strings.Count(string(line), "\n"); n != 1 || line[len(line)-1] != '\n' {
				t.Errorf("%s: %d newlines in %q", c.name, n, line)
			}
			for _, b := range []byte(strings.TrimSuffix(string(line), "\n")) {
				if b < ' ' || b == 0x7f {
					t.Errorf("%s: control byte %#x in %q", c.name, b, line)
				}
			}
		}
	}
}

func TestLine_OfManyTriesIsBounded(t *testing.T) {
	x := newExchange()
	for range 1000 {
		x.Outcome.Tries = append(x.Outcome.Tries, exchange.Try{
			Endpoint: strings.Repeat("\x00", 1000), Status: 599, Duration: time.Hour,
			Failure: exchange.Fail(exchange.CodeResponseTooLarge, "", errors.New(strings.Repeat("\x00", 1000))),
		})
	}
	// Each byte of a value takes six at most, and there are two values a try.
	const bound = maxTries*(2*6*maxTryValue+200) + 1000
	for name, format := range lineFormats {
		line := string(format(nil, new(clock), x))
		if len(line) > bound {
			t.Errorf("%s: the line has %d bytes, want %d at most", name, len(line), bound)
		}
		if name == FormatJSON && !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %q", line)
		}
		if n := strings.Count(line, exchange.CodeResponseTooLarge.Name); n != maxTries {
			t.Errorf("%s: %d tries are logged, want %d", name, n, maxTries)
		}
	}
}

func TestAccessLogReference_NamesEveryMember(t *testing.T) {
	reference, err := os.ReadFile("../../docs/reference/access-log.md")
	if err != nil {
		t.Fatal(err)
	}
	member, pair := regexp.MustCompile(`[{,]"([a-z_]+)":`), regexp.MustCompile(` ([a-z_]+)=`)
	for _, c := range lineCases {
		x := newExchange()
		c.change(x)
		for _, match := range member.FindAllSubmatch(appendJSONLine(nil, new(clock), x), -1) {
			if !bytes.Contains(reference, []byte("`"+string(match[1])+"`")) {
				t.Errorf("docs/reference/access-log.md does not name the member %s", match[1])
			}
		}
		for _, match := range pair.FindAllSubmatch(appendTextLine(nil, new(clock), x), -1) {
			if !bytes.Contains(reference, []byte("`"+string(match[1])+"`")) {
				t.Errorf("docs/reference/access-log.md does not name the key %s", match[1])
			}
		}
	}
}

func TestTraceID_OnlyOfValidTraceparents(t *testing.T) {
	const id, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	for field, want := range map[string]string{
		"00-" + id + "-" + span + "-01":                           id,
		"cc-" + id + "-" + span + "-01":                           id,
		"cc-" + id + "-" + span + "-01-what":                      id,
		"cc-" + id + "-" + span + "-01what":                       "",
		"00-" + id + "-" + span + "-01-what":                      "",
		"ff-" + id + "-" + span + "-01":                           "",
		"0G-" + id + "-" + span + "-01":                           "",
		"00-" + id + "-" + span + "-0x":                           "",
		"00-" + id + "-0000000000000000-01":                       "",
		"00_" + id + "-" + span + "-01":                           "",
		"00-" + id + "-" + span:                                   "",
		"":                                                        "",
		"00-" + strings.ToUpper(id) + "-" + span + "-01":          "",
		"00-" + strings.Repeat("0", 32) + "-" + span + "-01":      "",
		"00-" + strings.Repeat("\xff", 32) + "-" + span + "-01":   "",
		"00-" + strings.Repeat("-", 32) + "-" + span + "-01-01-0": "",
	} {
		if got := string(traceID([]byte(field))); got != want {
			t.Errorf("traceID(%q) = %q, want %q", field, got, want)
		}
	}
}

func TestDuration_ReadsAsGoPrintsIt(t *testing.T) {
	check := func(d time.Duration) {
		if got := string(appendDuration(nil, d)); got != d.String() {
			t.Errorf("duration %d reads %q, want %q", int64(d), got, d.String())
		}
	}
	for _, d := range []time.Duration{0, 1, 999, 1000, 1500, 1e6, 1e9, 60e9, 3600e9, 3601e9, 90061001001001, 1<<63 - 1} {
		check(d)
	}
	for range 10000 {
		check(time.Duration(rand.Int64() >> rand.IntN(63)))
	}
	if got := string(appendDuration(nil, -1)); got != "0s" {
		t.Errorf("a negative duration reads %q, want 0s", got)
	}
}

func TestClock_FollowsTheWall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c clock
		read := func() string { return string(c.append(nil, exchange.Now())) }
		if got, want := read(), "2000-01-01T00:00:00.000Z"; got != want {
			t.Errorf("at first: %s, want %s", got, want)
		}
		time.Sleep(123456 * time.Microsecond)
		if got, want := read(), "2000-01-01T00:00:00.123Z"; got != want {
			t.Errorf("in the same second: %s, want %s", got, want)
		}
		time.Sleep(25 * time.Hour)
		if got, want := read(), "2000-01-02T01:00:00.123Z"; got != want {
			t.Errorf("a day later: %s, want %s", got, want)
		}
		c.offset += int64(time.Hour) // as if the wall had been set back since
		time.Sleep(time.Second)
		if got, want := read(), "2000-01-02T01:00:01.123Z"; got != want {
			t.Errorf("after the wall was set: %s, want %s", got, want)
		}
	})
}

func FuzzEscaped(f *testing.F) {
	for _, c := range lineCases {
		x := newExchange()
		c.change(x)
		f.Add(x.Request.Path)
		f.Add(x.Request.Query)
	}
	f.Add([]byte(strings.Repeat("é", 3000)))
	f.Fuzz(func(t *testing.T, value []byte) {
		quoted := append(appendEscaped([]byte{'"'}, value), '"')
		if !utf8.Valid(quoted) {
			t.Fatalf("%q is not UTF-8", quoted)
		}
		var back string
		if err := json.Unmarshal(quoted, &back); err != nil {
			t.Fatalf("%q: %v", quoted, err)
		}
		// As conversion to runes does: a U+FFFD for each byte that is not UTF-8.
		if want := string([]rune(string(value))); len(value) <= maxValue && back != want {
			t.Errorf("%q came back as %q, want %q", value, back, want)
		}
		for _, b := range appendText(nil, value, '!') {
			if b <= ' ' || b > '~' || b == '"' {
				t.Fatalf("byte %#x in the text of %q", b, value)
			}
		}
	})
}
