package content

import (
	"io"

	"github.com/weirproxy/weir/internal/exchange"
)

// pieceSize bounds what is handed out at once of content that is kept. Who takes
// it may copy it.
const pieceSize = 64 << 10

// piece returns the beginning of content.
func piece(content []byte) []byte {
	n := min(len(content), pieceSize)
	return content[:n:n]
}

// A Fork is a request's content once more, for one of several tries. What it
// reads is shared with the others, and stays as it is until the exchange is over.
// It is an exchange.RequestBody.
type Fork struct {
	content []byte
	at      int
	trailer exchange.Header
}

// NewFork returns a Fork of content that is all there.
func NewFork(content []byte, trailer exchange.Header) *Fork {
	return &Fork{content: content, trailer: trailer}
}

// Next implements exchange.Body.
func (f *Fork) Next(bool) ([]byte, error) {
	if f.at == len(f.content) {
		return nil, io.EOF
	}
	data := piece(f.content[f.at:])
	f.at += len(data)
	return data, nil
}

// Trailer implements exchange.Body.
func (f *Fork) Trailer() exchange.Header { return f.trailer }

// Keep implements exchange.RequestBody. Everything is kept.
func (f *Fork) Keep(int) {}

// Load implements exchange.RequestBody. Everything is there.
func (f *Fork) Load() (whole bool, err error) { return true, nil }

// Fork implements exchange.RequestBody.
func (f *Fork) Fork() exchange.RequestBody { return NewFork(f.content, f.trailer) }

// Rewind implements exchange.RequestBody.
func (f *Fork) Rewind() bool {
	f.at = 0
	return true
}

// Interrupt implements exchange.RequestBody. Nobody waits here.
func (f *Fork) Interrupt() {}

var _ exchange.RequestBody = (*Fork)(nil)
