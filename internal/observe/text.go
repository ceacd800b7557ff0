package observe

import (
	"strconv"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// appendTextLine appends an exchange as a line for people:
//
//	TIME ID CLIENT "METHOD HOST URI" STATUS request URI served in D by endpoint N (NAME) key=value …
func appendTextLine(dst []byte, c *clock, x *exchange.Exchange) []byte {
	r, out := &x.Request, &x.Outcome
	dst = c.append(dst, x.Start+out.Duration)
	dst = appendWord(append(dst, ' '), x.ID)
	dst = appendAddr(append(dst, ' '), x.Client.Addr)
	dst = appendWord(append(dst, ` "`...), r.MethodName)
	dst = appendWord(append(dst, ' '), r.Authority)
	dst = appendURI(append(dst, ' '), r)
	dst = append(dst, `" `...)
	dst = strconv.AppendInt(dst, int64(out.Status), 10)
	dst = appendURI(append(dst, " request "...), r)
	dst = appendDuration(append(dst, " served in "...), out.Duration)
	dst = append(dst, " by endpoint "...)
	dst = strconv.AppendInt(dst, int64(out.Index), 10)
	if out.Endpoint != "" {
		dst = append(dst, " ("...)
		dst = appendWord(dst, []byte(out.Endpoint))
		dst = append(dst, ')')
	}
	dst = appendTextPairs(dst, x)
	return append(dst, '\n')
}

// appendTextPairs appends what comes as key=value. Those that need not be there
// are left out, and text that others choose is in quotes.
func appendTextPairs(dst []byte, x *exchange.Exchange) []byte {
	out := &x.Outcome
	dst = appendPair(dst, " service=", []byte(out.Service))
	dst = strconv.AppendInt(append(dst, " attempts="...), int64(out.Attempts), 10)
	dst = appendTextTries(dst, out.Tries)
	if out.Queued > 0 {
		dst = appendDuration(append(dst, " queued="...), out.Queued)
	}
	dst = strconv.AppendInt(append(dst, " request_bytes="...), out.RequestBytes, 10)
	dst = strconv.AppendInt(append(dst, " response_bytes="...), out.ResponseBytes, 10)
	if f := out.Failure; f != nil {
		dst = appendPair(dst, " error=", []byte(f.Code.Name))
		dst = appendTextReason(dst, f)
	}
	if peer := x.Client.Peer.Addr(); peer.Unmap() != x.Client.Addr.Unmap() {
		dst = appendAddr(append(dst, " peer="...), peer)
	}
	dst = appendPair(dst, " listener=", []byte(x.Client.Listener))
	dst = append(dst, " protocol=HTTP/1."...)
	dst = append(dst, '0'+x.Request.Minor%10)
	if x.Client.TLS {
		dst = append(dst, " tls=true"...)
	}
	dst = appendPair(dst, " client_request_id=", x.ClientRequestID)
	n := note(x.Request.Header)
	dst = appendPair(dst, " trace_id=", traceID(n.traceparent))
	dst = appendQuoted(dst, ` user_agent="`, n.userAgent)
	return appendQuoted(dst, ` referer="`, n.referer)
}

// appendTextTries appends the tries, each as endpoint, status or error, and
// duration. What exactly was wrong with them is in the format json only.
func appendTextTries(dst []byte, tries []exchange.Try) []byte {
	if len(tries) == 0 {
		return dst
	}
	dst = append(dst, ` tries="`...)
	for i := range tries[:min(len(tries), maxTries)] {
		t := &tries[i]
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(appendTextUpTo(dst, []byte(t.Endpoint), '!', maxTryValue), ' ')
		if t.Status != 0 {
			dst = append(strconv.AppendInt(dst, int64(t.Status), 10), ' ')
		}
		if t.Failure != nil {
			dst = append(appendWord(dst, []byte(t.Failure.Code.Name)), ' ')
		}
		dst = appendDuration(dst, t.Duration)
	}
	return append(dst, '"')
}

func appendTextReason(dst []byte, f *exchange.Failure) []byte {
	switch {
	case f.Cause == nil:
		return appendQuoted(dst, ` reason="`, []byte(f.Detail))
	case f.Detail == "":
		return appendQuoted(dst, ` reason="`, []byte(f.Cause.Error()))
	}
	dst = appendText(append(dst, ` reason="`...), []byte(f.Detail), ' ')
	dst = appendText(append(dst, ": "...), []byte(f.Cause.Error()), ' ')
	return append(dst, '"')
}

func appendURI(dst []byte, r *exchange.Request) []byte {
	dst = appendWord(dst, r.Path)
	if r.HasQuery {
		dst = append(dst, '?')
		if len(r.Query) > 0 {
			dst = appendWord(dst, r.Query)
		}
	}
	return dst
}

func appendPair(dst []byte, key string, value []byte) []byte {
	if len(value) == 0 {
		return dst
	}
	return appendWord(append(dst, key...), value)
}

func appendQuoted(dst []byte, opening string, value []byte) []byte {
	if len(value) == 0 {
		return dst
	}
	dst = appendText(append(dst, opening...), value, ' ')
	return append(dst, '"')
}

// appendWord appends a value that stands between spaces; an empty one is "-".
func appendWord(dst, s []byte) []byte {
	if len(s) == 0 {
		return append(dst, '-')
	}
	return appendText(dst, s, '!')
}

// appendText appends s with every byte below first, beyond "~", and quotes and
// backslashes, as \xNN, the way nginx does: what clients
// choose is ASCII in the log, and its bytes can be told exactly.
func appendText(dst, s []byte, first byte) []byte { return appendTextUpTo(dst, s, first, maxValue) }

// appendTextUpTo is appendText for a value of which so many bytes are logged at
// most.
func appendTextUpTo(dst, s []byte, first byte, most int) []byte {
	rest := 0
	if len(s) > most {
		s, rest = cut(s, most)
	}
	start := 0
	for i, c := range s {
		if plainJSON[c] && c >= first {
			continue
		}
		dst = append(dst, s[start:i]...)
		dst = append(dst, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
		start = i + 1
	}
	dst = append(dst, s[start:]...)
	if rest > 0 {
		dst = append(dst, "...(+"...)
		dst = strconv.AppendInt(dst, int64(rest), 10)
		dst = append(dst, "_bytes)"...) // no space: it may be a word
	}
	return dst
}

// appendDuration appends what d.String returns, without allocating.
func appendDuration(dst []byte, d time.Duration) []byte {
	if d < 0 {
		d = 0 // no request takes less
	}
	switch {
	case d == 0:
		return append(dst, "0s"...)
	case d < time.Microsecond:
		return append(strconv.AppendInt(dst, int64(d), 10), "ns"...)
	case d < time.Millisecond:
		return append(appendDecimal(dst, d, time.Microsecond), "µs"...)
	case d < time.Second:
		return append(appendDecimal(dst, d, time.Millisecond), "ms"...)
	}
	if d >= time.Hour {
		dst = append(strconv.AppendInt(dst, int64(d/time.Hour), 10), 'h')
	}
	if d >= time.Minute {
		dst = append(strconv.AppendInt(dst, int64(d%time.Hour/time.Minute), 10), 'm')
	}
	return append(appendDecimal(dst, d%time.Minute, time.Second), 's')
}

// appendDecimal appends d in units, with as many decimals as it takes.
func appendDecimal(dst []byte, d, unit time.Duration) []byte {
	dst = strconv.AppendInt(dst, int64(d/unit), 10)
	d %= unit
	if d == 0 {
		return dst
	}
	dst = append(dst, '.')
	for d > 0 {
		unit /= 10
		dst = append(dst, byte('0'+d/unit))
		d %= unit
	}
	return dst
}
