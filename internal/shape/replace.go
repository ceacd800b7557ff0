package shape

import (
	"strconv"

	"github.com/weirproxy/weir/internal/exchange"
)

// replaceContent puts JSON in the place of a side's content, coded as that was.
func (v *View) replaceContent(side Side, text []byte) error {
	c := &v.contents[side]
	if len(text) > v.compiler.maxContent {
		return errTooLarge
	}
	coded, err := v.compiler.codecs.encode(c.coding, text)
	if err != nil {
		return unusable("the content cannot be coded: %v", err)
	}
	c.json, c.value = text, nil
	dropDigests(c.trailer)
	body := &made{content: coded, trailer: c.trailer}
	length := int64(len(coded))
	if passesTrailer(c.trailer) {
		length = exchange.LengthUnknown // only chunks have room for it
	}
	if side == RequestSide {
		v.Exchange.Request.Body, v.Exchange.Request.Length = body, length
	} else {
		v.reply.Body, v.reply.Length = body, length
	}
	h := v.headerOf(side)
	v.setLength(h, len(coded))
	dropDigests(h)
	if side == ResponseSide {
		v.weaken(h)
	}
	return nil
}

func passesTrailer(h exchange.Header) bool {
	for i := range h {
		if !h[i].Skip {
			return true
		}
	}
	return false
}

// setLength corrects a Content-Length for those who read it; what is sent follows
// from the framing.
func (v *View) setLength(h exchange.Header, n int) {
	for i := range h {
		if h[i].ID == exchange.FieldContentLength {
			var digits [20]byte
			h[i].Value = v.Exchange.Keep(strconv.AppendInt(digits[:0], int64(n), 10))
		}
	}
}

// digests are the fields that hold for the very bytes of the content (RFC 9530;
// RFC 3230; RFC 1864).
var digests = [...]string{"content-md5", "digest", "content-digest", "repr-digest"}

func dropDigests(h exchange.Header) {
	for i := range h {
		for _, name := range digests {
			if is(&h[i], name) {
				h[i].Skip = true
			}
		}
	}
}

// weaken makes a strong validator a weak one: the content is equivalent to the
// endpoint's, and no longer the same bytes (RFC 9110 §8.8.1).
func (v *View) weaken(h exchange.Header) {
	for i := range h {
		if is(&h[i], "etag") && len(h[i].Value) > 0 && h[i].Value[0] == '"' {
			h[i].Value = v.Exchange.Keep(append([]byte("W/"), h[i].Value...))
		}
	}
}
