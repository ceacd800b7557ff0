package shape

import (
	"io"

	"github.com/weirproxy/weir/internal/exchange"
)

// A made body is content that a step has made. It is all in memory, which belongs
// to it until the exchange is over, and is never written again. It serves as the
// content of requests and of responses.
type made struct {
	content []byte
	at      int
	trailer exchange.Header
}

var _ exchange.RequestBody = (*made)(nil)

// pieceSize bounds what is handed out at once: who takes it may copy it.
const pieceSize = 64 << 10

// Next implements exchange.Body.
func (m *made) Next(bool) ([]byte, error) {
	if m.at == len(m.content) {
		return nil, io.EOF
	}
	end := min(m.at+pieceSize, len(m.content))
	data := m.content[m.at:end:end]
	m.at = end
	return data, nil
}

// Trailer implements exchange.Body.
func (m *made) Trailer() exchange.Header { return m.trailer }

// Keep implements exchange.RequestBody. Everything is kept.
func (m *made) Keep(int) {}

// Load implements exchange.RequestBody. Everything is there.
func (m *made) Load() (whole bool, err error) { return true, nil }

// Fork implements exchange.RequestBody.
func (m *made) Fork() exchange.RequestBody { return &made{content: m.content, trailer: m.trailer} }

// Rewind implements exchange.RequestBody.
func (m *made) Rewind() bool {
	m.at = 0
	return true
}

// Interrupt implements exchange.RequestBody. Nobody waits here.
func (m *made) Interrupt() {}

// A rejoined body is the content of a response whose beginning was read, with
// what was read put back in front.
type rejoined struct {
	read []byte
	rest exchange.Body
	err  error // what came behind read, if that was an error
}

// Next implements exchange.Body.
func (r *rejoined) Next(wait bool) ([]byte, error) {
	switch {
	case len(r.read) > 0:
		end := min(pieceSize, len(r.read))
		data := r.read[:end:end]
		r.read = r.read[end:]
		return data, nil
	case r.err != nil:
		return nil, r.err
	}
	return r.rest.Next(wait)
}

// Trailer implements exchange.Body.
func (r *rejoined) Trailer() exchange.Header { return r.rest.Trailer() }
