package shape

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/weirproxy/weir/internal/exchange"
)

// content is what is known of a message's content. It is read when it is first
// asked for.
type content struct {
	asked  bool
	json   []byte // decoded; nil if there is no JSON
	reason error  // why there is none; nil if there is no content at all
	coding coding
	value  ref.Val // what json is as a value, once asked for
	// trailer is what followed the content.
	trailer exchange.Header
}

var (
	errNotJSON  = &EvalError{Reason: SkippedNotJSON, Err: errors.New("the content is not JSON that can be read")}
	errTooLarge = &EvalError{Reason: SkippedTooLarge, Err: errors.New("the content is larger than a step may read")}
)

// content returns the content of a side. It waits for it to arrive.
func (v *View) content(side Side) *content {
	c := &v.contents[side]
	if c.asked {
		return c
	}
	c.asked = true
	var raw []byte
	if side == RequestSide {
		raw, c.reason = v.readRequest(c)
	} else {
		raw, c.reason = v.readResponse(c)
	}
	if raw != nil && c.reason == nil {
		c.json, c.reason = v.open(c.coding, raw)
	}
	return c
}

// open decodes content that is JSON.
func (v *View) open(how coding, raw []byte) ([]byte, error) {
	text, err := v.compiler.codecs.decode(how, raw)
	switch {
	case errors.Is(err, errBomb):
		return nil, errTooLarge
	case err != nil || !json.Valid(text):
		return nil, errNotJSON
	}
	return text, nil
}

// candidate reports whether content with that header may be JSON that can be read.
func (c *content) candidate(h exchange.Header) error {
	c.coding = codingOf(h)
	if c.coding == foreign || !isJSON(h) {
		return errNotJSON
	}
	return nil
}

// isJSON reports whether the media type is application/json or ends with +json
// (RFC 6839 §3.1).
func isJSON(h exchange.Header) bool {
	for i := range h {
		if h[i].Skip || h[i].ID != exchange.FieldContentType {
			continue
		}
		media, _, _ := bytes.Cut(h[i].Value, []byte{';'})
		media = bytes.TrimSpace(media)
		return exchange.EqualFold(media, "application/json") ||
			len(media) > 5 && exchange.EqualFold(media[len(media)-5:], "+json")
	}
	return false
}

// readRequest returns the content of the request, which stays where it is.
func (v *View) readRequest(c *content) ([]byte, error) {
	req := &v.Exchange.Request
	if req.Body == nil || len(req.Upgrade) > 0 {
		return nil, nil
	}
	if err := c.candidate(req.Header); err != nil {
		return nil, err
	}
	most := v.compiler.maxContent
	if req.Length > int64(most) {
		return nil, errTooLarge
	}
	req.Body.Keep(most) // steps come before anybody reads
	if err := v.permit(); err != nil {
		return nil, v.fail(err)
	}
	whole, err := req.Body.Load()
	switch {
	case err != nil:
		return nil, v.fail(err)
	case !whole:
		return nil, errTooLarge
	}
	fork := req.Body.Fork()
	raw, _, err := gather(fork, most)
	c.trailer = fork.Trailer()
	if err != nil {
		return nil, v.fail(err)
	}
	return raw, nil
}

// permit tells a client that waits for it to send its content.
func (v *View) permit() error {
	x := v.Exchange
	if !x.Request.ExpectContinue || x.Continued {
		return nil
	}
	return x.Responder.Inform(&exchange.Response{Status: 100, Minor: 1, Reason: []byte("Continue")})
}

// fail notes that the client has failed, which ends the exchange.
func (v *View) fail(err error) error {
	v.failure = err
	return err
}

// readResponse returns the content of the response. What was read of content that
// is too large, or that ended early, is put back.
func (v *View) readResponse(c *content) ([]byte, error) {
	resp := v.reply
	if resp == nil || resp.Body == nil || resp.Tunnel != nil || !v.whole() {
		return nil, nil
	}
	if err := c.candidate(resp.Header); err != nil {
		return nil, err
	}
	most := v.compiler.maxContent
	if resp.Length > int64(most) {
		return nil, errTooLarge
	}
	body := resp.Body
	raw, ended, err := gather(body, most)
	switch {
	case err != nil:
		resp.Body = &rejoined{read: raw, rest: body, err: err}
		return nil, errNotJSON
	case !ended:
		resp.Body = &rejoined{read: raw, rest: body}
		return nil, errTooLarge
	}
	c.trailer = body.Trailer()
	resp.Body = &made{content: raw, trailer: c.trailer}
	return raw, nil
}

// whole reports whether the response has content that stands for the whole of
// something.
func (v *View) whole() bool {
	resp := v.reply
	if v.Exchange.Request.Method == exchange.MethodHead || resp.Status < 200 {
		return false
	}
	switch resp.Status {
	case 204, 206, 304:
		return false
	}
	_, part := resp.Header.Lookup("content-range")
	return !part
}

// gather reads a body to its end, or until more than most bytes have come. All
// that it returns is a copy.
func gather(body exchange.Body, most int) (all []byte, ended bool, err error) {
	all = []byte{}
	for {
		data, err := body.Next(true)
		all = append(all, data...)
		switch {
		case err == io.EOF:
			return all, true, nil
		case err != nil:
			return all, false, err
		case len(all) > most:
			return all, false, nil
		}
	}
}

// body returns what the content of a side is as a value; null if it is not JSON,
// or too large.
func (v *View) body(side Side) ref.Val {
	c := v.content(side)
	if v.failure != nil {
		return types.WrapErr(v.failure)
	}
	if c.value != nil {
		return c.value
	}
	c.value = types.NullValue
	if c.json != nil {
		c.value = valueOf(c.json)
	}
	return c.value
}

// valueOf makes a value of JSON. Whole numbers are ints as far as they go.
func valueOf(text []byte) ref.Val {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var native any
	if err := d.Decode(&native); err != nil {
		return types.NullValue // cannot be: it is valid
	}
	return types.DefaultTypeAdapter.NativeToValue(numbers(native))
}

// numbers replaces every json.Number by an int64 or a float64.
func numbers(native any) any {
	switch x := native.(type) {
	case json.Number:
		if n, err := strconv.ParseInt(string(x), 10, 64); err == nil {
			return n
		}
		f, _ := x.Float64() // out of range it is infinite
		return f
	case []any:
		for i := range x {
			x[i] = numbers(x[i])
		}
	case map[string]any:
		for name := range x {
			x[name] = numbers(x[name])
		}
	}
	return native
}
