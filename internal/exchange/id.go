package exchange

import (
	"sync/atomic"
	"time"
)

// Event ids are a number for the process and a number within it, in hexadecimal
// of fixed width, so that they sort by age: 0192f3a1c2d4-00000000002a.
var (
	processID = uint64(time.Now().UnixMilli())
	events    atomic.Uint64
)

const hex = "0123456789abcdef"

// AppendID appends the next event id to dst.
func AppendID(dst []byte) []byte {
	dst = appendHex(dst, processID)
	dst = append(dst, '-')
	return appendHex(dst, events.Add(1))
}

// appendHex appends the lowest twelve hexadecimal digits of n.
func appendHex(dst []byte, n uint64) []byte {
	var digits [12]byte
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = hex[n&15]
		n >>= 4
	}
	return append(dst, digits[:]...)
}
