package observe

import (
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// A clock tells wall clock time for moments on the clock of [exchange.Now],
// looking at the wall once a second: that is often enough to follow it when it
// is set. The zero value is ready. It belongs to whoever holds its lane.
type clock struct {
	offset int64 // from exchange.Now to Unix time, in nanoseconds
	second int64 // Unix time that text is of
	text   [len("2006-01-02T15:04:05")]byte
}

// append appends the time in RFC 3339 format, UTC, with milliseconds.
func (c *clock) append(dst []byte, at time.Duration) []byte {
	second, nanos := c.wall(at)
	if second != c.second || c.text[0] == 0 {
		c.offset = time.Now().UnixNano() - int64(exchange.Now())
		second, nanos = c.wall(at)
		c.second = second
		time.Unix(second, 0).UTC().AppendFormat(c.text[:0], "2006-01-02T15:04:05")
	}
	ms := nanos / int64(time.Millisecond)
	dst = append(dst, c.text[:]...)
	return append(dst, '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z')
}

func (c *clock) wall(at time.Duration) (second, nanos int64) {
	wall := max(int64(at)+c.offset, 0)
	return wall / int64(time.Second), wall % int64(time.Second)
}
