package http1

import (
	"errors"
	"fmt"
	"testing"

	"github.com/weirproxy/weir/internal/exchange"
)

func TestHeadEnd(t *testing.T) {
	for _, test := range []struct {
		text string
		want int
	}{
		{"", 0},
		{"GET / HTTP/1.1\r\n", 0},
		{"A\r\n\r\n", 5},
		{"A\r\nB: c\r\n\r\nmore\r\n\r\n", 11},
		{"A\r\n\r", 0},
		{"A\r\n\rB\r\n\r\n", 9},
		{"A\n\n", 3}, // the parser refuses these
		{"A\n\r\nB\n\n", 4},
		{"A\r\n\nB", 4},
	} {
		t.Run(fmt.Sprintf("%q", test.text), func(t *testing.T) {
			if got := HeadEnd([]byte(test.text), 0); got != test.want {
				t.Errorf("ends at %d, want %d", got, test.want)
			}
			// However much had arrived when it was looked for before, the end
			// is found as soon as it is there.
			for first := range len(test.text) + 1 {
				buf := []byte(test.text)
				got := HeadEnd(buf[:first], 0)
				if want := test.want; first < want && got != 0 || first >= want && got != want {
					t.Errorf("of %d bytes it ends at %d", first, got)
				}
				if got == 0 && HeadEnd(buf, first) != test.want {
					t.Errorf("after %d bytes it ends at %d, want %d", first, HeadEnd(buf, first), test.want)
				}
			}
		})
	}
}

// A head that arrives byte by byte is the head that arrives at once.
func TestHeadEnd_ByteByByte(t *testing.T) {
	for _, seed := range append(append([]string{typicalRequest, typicalResponse}, requestSeeds...), responseSeeds...) {
		text := []byte(wire(seed))
		want, got := HeadEnd(text, 0), 0
		for n := 1; n <= len(text) && got == 0; n++ {
			if got = HeadEnd(text[:n], n-1); got != 0 && got != n {
				t.Errorf("%q: found the end at %d only with byte %d", text, got, n)
			}
		}
		if got != want {
			t.Errorf("%q: ends at %d, want %d", text, got, want)
		}
	}
}

func TestSkipEmptyLine(t *testing.T) {
	for text, want := range map[string]int{
		"":                   0,
		"\r":                 0,
		"\r\n":               2,
		"\r\nGET":            2,
		"\r\n\r\nGET":        2, // one and no more
		"\nGET":              0,
		"GET / HTTP/1.1\r\n": 0,
	} {
		if got := SkipEmptyLine([]byte(text)); got != want {
			t.Errorf("SkipEmptyLine(%q) is %d, want %d", text, got, want)
		}
	}
}

func TestCheckStart(t *testing.T) {
	for text, want := range map[string]fault{
		"":                 faultNone,
		"G":                faultNone,
		"\r":               faultNone, // an empty line, perhaps
		"PRI * HTTP":       faultNone,
		"PRI * HTTP/1.1\r": faultNone,
		"PRI * HTTP/2.0\r": faultHTTP2,
		"\x16":             faultTLS,
		"\x16\x03\x01":     faultTLS,
		"\r\n":             faultStart,
		"\rG":              faultStart,
		"\n":               faultStart,
		" GET":             faultStart,
		"\x00":             faultStart,
		"\x80":             faultStart,
	} {
		err := CheckStart([]byte(text))
		if want == faultNone {
			if err != nil {
				t.Errorf("CheckStart(%q): %v", text, err)
			}
			continue
		}
		wantFault(t, err, requestFailures, want)
	}
}

func TestRequestTooLarge(t *testing.T) {
	lim := Limits{HeaderBytes: 20}
	wantFault(t, RequestTooLarge([]byte("GET /0123456789012345"), &lim), requestFailures, faultLineTooLong)
	wantFault(t, RequestTooLarge([]byte("GET / HTTP/1.1\r\nHost: "), &lim), requestFailures, faultTooLarge)
	wantFault(t, ResponseTooLarge(), responseFailures, faultTooLarge)
}

// Every fault has words, and a code of the side it is on.
func TestFaults_HaveDetails(t *testing.T) {
	for f := faultNone + 1; f < faultCount; f++ {
		if faultDetails[f] == "" {
			t.Errorf("fault %d has no detail", f)
		}
	}
	for name, test := range map[string]struct {
		all  *failures
		side exchange.Side
	}{
		"request":       {requestFailures, exchange.SideClient},
		"request body":  {requestBodyFailures, exchange.SideClient},
		"response":      {responseFailures, exchange.SideEndpoint},
		"response body": {responseBodyFailures, exchange.SideEndpoint},
	} {
		for _, failure := range test.all {
			if failure.Code.Side != test.side {
				t.Errorf("%s: %v is not of its side", name, failure)
			}
		}
	}
	if failure, _ := errors.AsType[*exchange.Failure](ResponseTooLarge()); failure.Code != exchange.CodeResponseTooLarge {
		t.Errorf("a large response fails with %v", failure)
	}
}
