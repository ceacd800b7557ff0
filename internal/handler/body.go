package handler

import (
	"io"
	"sync/atomic"
	"time"

	"github.com/weirproxy/weir/internal/content"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

// A requestBody is the content of the request that is being served. It implements
// exchange.RequestBody.
//
// It belongs to one goroutine at a time, but for Interrupt and wake.
type requestBody struct {
	ws     *workspace
	read   reading
	kept   content.Kept
	length int64 // exchange.LengthUnknown, or what was announced
	got    int64
	// over is why nothing more comes: io.EOF or a failure.
	over error
	// atEnd: the whole content was read. Other goroutines ask for it.
	atEnd   atomic.Bool
	trailer trailer

	interrupted atomic.Bool
	woken       chan struct{} // who waits is to look at what has happened
	timer       *time.Timer
	// deadline is when waiting is over, on the clock of exchange.Now; 0 is never.
	deadline time.Duration

	// withheld: the client waits to be told to go on, and the first Read tells it.
	withheld bool
	proceed  chan struct{} // it is to be told
}

// continueAfter is how long the endpoint may take to say that it wants the content
// before the client is asked for it anyway. Clients do not wait much longer.
const continueAfter = time.Second

func (b *requestBody) init(ws *workspace) {
	b.ws = ws
	b.woken, b.proceed = make(chan struct{}, 1), make(chan struct{}, 1)
	b.read.ready = make(chan struct{}, 1)
	b.timer = time.NewTimer(time.Hour)
	b.timer.Stop()
}

// begin makes b the content of the request.
func (b *requestBody) begin() {
	r := b.ws.request
	b.kept.Begin(b.ws.handler.opts.Replay)
	b.length, b.got, b.over, b.deadline = lengthOf(r), 0, nil, 0
	b.trailer.reset()
	b.interrupted.Store(false)
	drain(b.woken)
	drain(b.proceed)
	b.withheld = b.ws.x.Request.ExpectContinue
	b.atEnd.Store(b.length == 0)
	if b.length != 0 {
		b.read.from = r.Body
		_ = b.ws.control.EnableFullDuplex() // who cannot reads all content before it answers
	}
}

// Next implements exchange.Body.
func (b *requestBody) Next(wait bool) ([]byte, error) {
	if data := b.kept.Next(); data != nil {
		return data, nil
	}
	data, err := b.next(wait)
	if err == nil {
		b.kept.Note(data)
	}
	return data, err
}

// next reads from the client.
func (b *requestBody) next(wait bool) ([]byte, error) {
	switch {
	case b.over != nil:
		return nil, b.over
	case b.interrupted.Load():
		return nil, http1.ErrInterrupted
	case b.withheld && !wait:
		return nil, nil
	case b.withheld:
		if _, err := b.await(b.proceed, continueAfter); err != nil {
			return nil, err
		}
		b.withheld = false
	}
	for {
		if !b.read.running {
			b.read.start(!wait)
		}
		if came, err := b.arrived(wait); !came {
			return nil, err
		}
		if data := b.take(); len(data) > 0 || b.over != nil {
			if len(data) == 0 {
				return nil, b.over
			}
			return data, nil
		}
	}
}

// arrived reports whether the Read that is under way is over.
func (b *requestBody) arrived(wait bool) (bool, error) {
	select {
	case <-b.read.ready:
		return true, nil
	default:
	}
	if !wait {
		return false, nil
	}
	patience, ok := b.patience()
	if ok {
		came, err := b.await(b.read.ready, patience)
		if came || err != nil {
			return came, err
		}
	}
	if b.deadline > 0 && exchange.Now() >= b.deadline {
		return false, exchange.Fail(exchange.CodeRequestDeadline, "", nil)
	}
	return false, exchange.Fail(exchange.CodeBodyTimeout, "", nil)
}

// patience is how long the next bytes may take, 0 for any time; false if there is
// none left.
func (b *requestBody) patience() (time.Duration, bool) {
	timeout := b.ws.handler.opts.BodyTimeout
	if b.deadline == 0 {
		return timeout, true
	}
	left := b.deadline - exchange.Now()
	if timeout > 0 {
		return min(left, timeout), left > 0
	}
	return left, left > 0
}

// await waits for something to be told, for so long at most; 0 is for any time. The
// error is why nobody needs to wait any longer.
func (b *requestBody) await(told <-chan struct{}, patience time.Duration) (bool, error) {
	var late <-chan time.Time
	if patience > 0 {
		b.timer.Reset(patience)
		defer b.timer.Stop()
		late = b.timer.C
	}
	for {
		switch {
		case b.ws.gone.Load():
			return false, exchange.Fail(exchange.CodeClientGone, "", nil)
		case b.interrupted.Load():
			return false, http1.ErrInterrupted
		}
		select {
		case <-told:
			return true, nil
		case <-b.woken:
		case <-late:
			return false, nil
		}
	}
}

// take takes what the Read that is over has brought.
func (b *requestBody) take() []byte {
	data, err := b.read.take()
	b.got += int64(len(data))
	most := b.ws.handler.opts.BodyBytes
	switch {
	case b.length >= 0 && b.got > b.length:
		b.over = exchange.Fail(exchange.CodeMalformedBody, "there is more content than Content-Length says", nil)
		return nil
	case most > 0 && b.got > most:
		b.over = exchange.Fail(exchange.CodeContentTooLarge, "the content is larger than limits.body_bytes", nil)
		return nil
	case err == io.EOF && b.length >= 0 && b.got < b.length:
		b.over = endedEarly(err)
	case err == io.EOF:
		b.over = err
		b.trailer.set(b.ws.request.Trailer)
	case err != nil:
		b.over = b.failure(err)
	}
	// What has a length is known to end before somebody asks for more.
	b.atEnd.Store(b.over == io.EOF || b.got == b.length)
	return data
}

// Trailer implements exchange.Body.
func (b *requestBody) Trailer() exchange.Header { return b.trailer.header }

// Keep implements exchange.RequestBody.
func (b *requestBody) Keep(n int) { b.kept.Limit(n) }

// Load implements exchange.RequestBody.
func (b *requestBody) Load() (whole bool, err error) {
	if b.length >= 0 && !b.kept.Fits(b.length-b.got) {
		return false, nil // this is known without reading it
	}
	b.deadline = b.ws.x.Deadline
	defer func() { b.deadline = 0 }()
	return b.kept.Load(b.next)
}

// Fork implements exchange.RequestBody.
func (b *requestBody) Fork() exchange.RequestBody { return b.kept.Fork(b.trailer.header) }

// Rewind implements exchange.RequestBody.
func (b *requestBody) Rewind() bool {
	b.interrupted.Store(false)
	return b.kept.Rewind()
}

// Interrupt implements exchange.RequestBody.
func (b *requestBody) Interrupt() {
	b.interrupted.Store(true)
	b.wake()
}

// goOn has the client told that its content is wanted.
func (b *requestBody) goOn() { tell(b.proceed) }

// wake has who waits look at what has happened.
func (b *requestBody) wake() { tell(b.woken) }

// end is called when the exchange is over. A Read that is under way has to end:
// nobody may read when the request is over.
func (b *requestBody) end() {
	if b.read.running {
		if b.ws.control.SetReadDeadline(longAgo) != nil {
			_ = b.read.from.Close()
		}
		<-b.read.ready
	}
	b.read.end()
	b.kept.End()
	if b.ws.request.ProtoMajor == 1 && !b.atEnd.Load() {
		_ = b.ws.control.SetReadDeadline(time.Now().Add(lingerTime))
	}
}

// lingerTime is how long net/http may read on from a client that has had its answer
// before all its content was read: closing at once could destroy the answer.
const lingerTime = 2 * time.Second

func tell(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func drain(c chan struct{}) {
	select {
	case <-c:
	default:
	}
}
