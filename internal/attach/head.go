package attach

import (
	"errors"
	"io"
	"net"
	"slices"

	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

// limits bounds the request to attach.
var limits = http1.Limits{HeaderBytes: 16 << 10, HeaderCount: 64}

const firstBuffer = 2 << 10

// errSilent: the connection ended, or its time was up, before its first byte.
// Whoever looks whether the port is open does that.
var errSilent = errors.New("nothing was sent")

// readHead reads the head of one request. Errors are of type *exchange.Failure
// if they are the request's, *Refusal, or the connection's own.
func readHead(c net.Conn) (*exchange.Request, error) {
	buf := make([]byte, 0, firstBuffer)
	searched, skipped := 0, false
	for {
		if !skipped && len(buf) >= 2 {
			buf, skipped = buf[http1.SkipEmptyLine(buf):], true
		}
		if end := http1.HeadEnd(buf, searched); end > 0 {
			return parseHead(buf, end)
		}
		if err := http1.CheckStart(buf); err != nil {
			return nil, err
		}
		if len(buf) >= limits.HeaderBytes {
			return nil, http1.RequestTooLarge(buf, &limits)
		}
		searched = len(buf)
		if len(buf) == cap(buf) {
			buf = slices.Grow(buf, min(len(buf)+firstBuffer, limits.HeaderBytes))
		}
		n, err := c.Read(buf[len(buf):min(cap(buf), limits.HeaderBytes)])
		buf = buf[:len(buf)+n]
		switch {
		case n > 0: // look at it first
		case err == nil:
			return nil, io.ErrNoProgress
		case len(buf) == 0 && !skipped:
			return nil, errSilent
		default:
			return nil, err
		}
	}
}

func parseHead(buf []byte, end int) (*exchange.Request, error) {
	req := new(exchange.Request)
	if _, err := http1.ParseRequest(buf[:end], &limits, req); err != nil {
		return nil, err
	}
	// The worker is the server of what follows the 101, and the router begins.
	// Bytes ahead of the answer are somebody else's idea of the conversation.
	if len(buf) > end && req.Length == 0 {
		return nil, badAttach("bytes follow the request before it is answered")
	}
	return req, nil
}
