package server

import (
	"io"

	"github.com/weirproxy/weir/internal/exchange"
)

// A fork is a request's content once more, for one of several tries. What it
// reads is shared with the others, and stays as it is until the exchange is over.
type fork struct {
	content []byte
	at      int
	trailer exchange.Header
}

// Next implements exchange.Body.
func (f *fork) Next(bool) ([]byte, error) {
	if f.at == len(f.content) {
		return nil, io.EOF
	}
	data := piece(f.content[f.at:])
	f.at += len(data)
	return data, nil
}

// Trailer implements exchange.Body.
func (f *fork) Trailer() exchange.Header { return f.trailer }

// Keep implements exchange.RequestBody. Everything is kept.
func (f *fork) Keep(int) {}

// Load implements exchange.RequestBody. Everything is there.
func (f *fork) Load() (whole bool, err error) { return true, nil }

// Fork implements exchange.RequestBody.
func (f *fork) Fork() exchange.RequestBody { return &fork{content: f.content, trailer: f.trailer} }

// Rewind implements exchange.RequestBody.
func (f *fork) Rewind() bool {
	f.at = 0
	return true
}

// Interrupt implements exchange.RequestBody. Nobody waits here.
func (f *fork) Interrupt() {}
