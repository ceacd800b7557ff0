package handler

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// A reply is the way back to the client. It implements exchange.Responder.
type reply struct {
	ws *workspace
	w  http.ResponseWriter
	// head makes http.Headers of fields.
	head head
	// whole: a final response was sent to its end.
	whole bool
	// until is when the write deadline passes, and refreshed when it was set last, on
	// the clock of exchange.Now; 0 is none.
	until, refreshed time.Duration
}

func (r *reply) begin(w http.ResponseWriter) {
	r.w, r.whole, r.until, r.refreshed = w, false, 0, 0
}

// end takes back the deadline, which would outlive the request.
func (r *reply) end() {
	if r.until != 0 && !r.ws.gone.Load() {
		_ = r.ws.control.SetWriteDeadline(time.Time{})
	}
}

// Inform implements exchange.Responder.
func (r *reply) Inform(resp *exchange.Response) error {
	if resp.Status == 100 {
		// net/http says it itself when content is read, which is what follows.
		r.ws.x.Continued = true
		r.ws.body.goOn()
		return nil
	}
	if err := r.allow(); err != nil {
		return err
	}
	r.head.interim(r.w, resp)
	return nil
}

// Respond implements exchange.Responder.
func (r *reply) Respond(resp *exchange.Response) error {
	x := &r.ws.x
	x.Outcome.Status = resp.Status
	if resp.Tunnel != nil {
		return r.tunnel(resp)
	}
	if err := r.allow(); err != nil {
		return err
	}
	h := r.w.Header()
	r.head.final(h, resp, x.Request.Method)
	if r.ws.request.ProtoMajor == 1 && !r.ws.body.atEnd.Load() {
		h["Connection"] = closing // an early answer: the rest of the request is not wanted
	}
	r.w.WriteHeader(resp.Status)
	if resp.Body != nil {
		if err := r.content(resp.Body); err != nil {
			return err
		}
	}
	r.whole = true
	return nil
}

var closing = []string{"close"}

// content sends the response's content as it arrives.
func (r *reply) content(body exchange.Body) error {
	for {
		data, err := body.Next(false)
		if data == nil && err == nil {
			// No more has arrived: what there is goes out before waiting.
			if err := r.flush(); err != nil {
				return err
			}
			data, err = body.Next(true)
		}
		switch {
		case err == io.EOF:
			return r.trailer(body.Trailer())
		case err != nil:
			_ = r.flush() // what has arrived is passed on; cutting it off tells that it is not all
			return err
		}
		r.ws.x.Outcome.ResponseBytes += int64(len(data))
		if err := r.write(data); err != nil {
			return err
		}
	}
}

func (r *reply) write(data []byte) error {
	if err := r.allow(); err != nil {
		return err
	}
	if _, err := r.w.Write(data); err != nil {
		return r.failure(err)
	}
	return nil
}

func (r *reply) flush() error {
	if err := r.allow(); err != nil {
		return err
	}
	if err := r.ws.control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return r.failure(err)
	}
	return nil
}

// trailer sends trailer fields. Only what has no length can have some, and only
// once its head is out net/http knows that it does.
func (r *reply) trailer(fields exchange.Header) error {
	if len(fields) == 0 {
		return nil
	}
	if err := r.flush(); err != nil {
		return err
	}
	h := r.w.Header()
	clear(h) // else what is in the head and was announced would be in the trailer again
	for i := range fields {
		if f := &fields[i]; !f.Skip {
			key := http.TrailerPrefix + http.CanonicalHeaderKey(string(f.Name))
			h[key] = append(h[key], string(f.Value))
		}
	}
	return nil
}

// allow gives the client its time to take what is written next. That is not set
// anew for each byte: it may be longer by as much as is let pass in between.
func (r *reply) allow() error {
	if r.ws.gone.Load() {
		return exchange.Fail(exchange.CodeClientGone, "", nil)
	}
	limit, now := r.ws.x.WriteTimeout, exchange.Now()
	slack := min(limit/8, time.Second)
	if limit <= 0 || r.until != 0 && now < r.refreshed+slack {
		return nil
	}
	r.refreshed, r.until = now, now+limit+slack
	_ = r.ws.control.SetWriteDeadline(time.Now().Add(limit + slack)) // who cannot has bounds of his own
	if r.ws.gone.Load() {                                            // cut off meanwhile
		_ = r.ws.control.SetWriteDeadline(longAgo)
	}
	return nil
}

// failure is why something could not be written to the client.
func (r *reply) failure(err error) *exchange.Failure {
	if r.until != 0 && exchange.Now() >= r.until {
		return exchange.Fail(exchange.CodeClientStalled, "", err)
	}
	return exchange.Fail(exchange.CodeClientGone, "", err)
}
