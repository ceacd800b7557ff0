package content

import (
	"errors"
	"io"

	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

// Kept is what is kept of a request's content while it is read from the client,
// in case it has to be sent again: all of it as long as it is small, none once it
// is not. The zero value is ready for Begin.
type Kept struct {
	budget  *Budget
	most    int    // how much may be kept
	data    []byte // all that was read; once spilled, what of it was not handed out
	at      int    // how much of data has been handed out
	spilled bool   // more was read than may be kept
	held    []byte // what Load has read behind data; it lies where it arrived
	whole   bool   // data is the whole content
	handed  bool   // something was handed out, from the beginning on
}

// Begin prepares for another request's content.
func (k *Kept) Begin(b *Budget) {
	*k = Kept{budget: b, most: b.Each, data: k.data[:0]}
}

// Limit has up to n bytes kept.
func (k *Kept) Limit(n int) { k.most = n }

// Most returns how much may be kept.
func (k *Kept) Most() int { return k.most }

// Fits reports whether n bytes more may be kept with what is, as far as this
// request goes.
func (k *Kept) Fits(n int64) bool { return !k.spilled && n <= int64(k.most-len(k.data)) }

// Pending reports whether Next has something.
func (k *Kept) Pending() bool { return k.at < len(k.data) || k.held != nil }

// Next hands out what is there and has not been handed out since the last Rewind;
// nil is nothing: then the client is to be read.
func (k *Kept) Next() (data []byte) {
	switch {
	case k.at < len(k.data):
		data = piece(k.data[k.at:])
		k.at += len(data)
		k.handed = true
		return data
	case k.spilled && len(k.data) > 0:
		k.drop()
	}
	data, k.held = k.held, nil
	k.handed = k.handed || len(data) > 0
	return data
}

// Note remembers content that was read and is about to be handed out.
func (k *Kept) Note(data []byte) {
	if len(data) == 0 {
		return
	}
	k.handed = true
	if k.spilled {
		return
	}
	if !k.add(data) {
		k.spilled = true
		k.drop()
		return
	}
	k.at = len(k.data)
}

// Load reads the rest of the content by read, as RequestBody.Load does.
func (k *Kept) Load(read func(wait bool) ([]byte, error)) (whole bool, err error) {
	for !k.whole && !k.spilled {
		data, err := read(true)
		switch {
		case err == io.EOF:
			k.whole = true
		case errors.Is(err, http1.ErrInterrupted):
			return false, exchange.Fail(exchange.CodeCancelled, "", err)
		case err != nil:
			return false, err
		case !k.add(data):
			k.spilled, k.held = true, data
		}
	}
	return k.whole, nil
}

// add adds data to what is kept, if it may be.
func (k *Kept) add(data []byte) bool {
	if len(k.data)+len(data) > k.most || !k.budget.take(len(data)) {
		return false
	}
	k.data = append(k.data, data...)
	return true
}

// keptRoom is how much memory for kept content is used again.
const keptRoom = 4 << 10

func (k *Kept) drop() {
	k.budget.give(len(k.data))
	k.data, k.at = k.data[:0], 0
	if cap(k.data) > keptRoom {
		k.data = nil
	}
}

// Spill notes that content has gone past, where it could not be kept.
func (k *Kept) Spill() {
	k.spilled, k.handed = true, true
	k.drop()
}

// Fork returns the whole content once more, after Load has returned true.
func (k *Kept) Fork(trailer exchange.Header) *Fork { return NewFork(k.data, trailer) }

// Rewind implements exchange.RequestBody.
func (k *Kept) Rewind() bool {
	if k.handed && k.spilled {
		return false
	}
	k.at, k.handed = 0, false
	return true
}

// End gives back what is kept.
func (k *Kept) End() {
	k.held = nil
	if len(k.data) > 0 {
		k.drop()
	}
}
