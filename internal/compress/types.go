package compress

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/weirproxy/weir/internal/exchange"
)

// DefaultTypes are the media types whose content gets smaller.
var DefaultTypes = []string{"text/*", "application/json", "application/javascript", "application/xml", "image/svg+xml", "*/*+json", "*/*+xml"}

// eventStream is compressed only where it is listed by name: intermediaries and
// clients differ in how soon they hand out an event that is compressed.
const eventStream = "text/event-stream"

// A mediaType is one that is listed: exact, all of a type (text/*), or all of a
// structured syntax (*/*+json, RFC 6839), or any.
type mediaType struct {
	exact, prefix, suffix string
	any                   bool
}

func parseType(text string) (mediaType, error) {
	if suffix, ok := strings.CutPrefix(strings.TrimPrefix(text, "*/"), "*+"); ok && suffix != "" && !strings.ContainsAny(suffix, "*/; ") {
		return mediaType{suffix: "+" + suffix}, nil
	}
	if text == "*/*" {
		return mediaType{any: true}, nil
	}
	main, sub, ok := strings.Cut(text, "/")
	if !ok || main == "" || sub == "" || strings.ContainsAny(main, "*; ") || sub != "*" && strings.ContainsAny(sub, "*/; ") {
		return mediaType{}, fmt.Errorf("%q is not a media type; write one as text/html, text/*, */*+json or */*", text)
	}
	if sub == "*" {
		return mediaType{prefix: main + "/"}, nil
	}
	return mediaType{exact: text}, nil
}

// lists reports whether content of that type is to be compressed.
func (p *Policy) lists(contentType []byte) bool {
	essence, _, _ := bytes.Cut(contentType, []byte{';'})
	essence = bytes.TrimSpace(essence)
	byName := exchange.EqualFold(essence, eventStream)
	for i := range p.types {
		if t := &p.types[i]; t.exact != "" && exchange.EqualFold(essence, t.exact) || !byName && t.covers(essence) {
			return true
		}
	}
	return false
}

func (t *mediaType) covers(essence []byte) bool {
	switch n := len(essence); {
	case t.any:
		return n > 0
	case t.prefix != "":
		return n > len(t.prefix) && exchange.EqualFold(essence[:len(t.prefix)], t.prefix)
	case t.suffix != "":
		return n > len(t.suffix) && exchange.EqualFold(essence[n-len(t.suffix):], t.suffix)
	default:
		return false
	}
}
