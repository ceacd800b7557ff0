package compress

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"

	"github.com/weirproxy/weir/internal/exchange"
)

// Options are a policy as it is written.
type Options struct {
	// Types are the media types that are compressed; if empty, DefaultTypes.
	Types []string
	// MinSize is the length from which content is worth it, in bytes, where the
	// length is known; 0 is 1 KiB.
	MinSize int64
	// Algorithms are the codings, the preferred one first; if empty, zstd and
	// gzip.
	Algorithms []string
	// Encoders is shared by all policies. If nil, the policy has its own.
	Encoders *Encoders
}

const defaultMinSize = 1 << 10

// A Policy says what is compressed, and how. It is immutable and safe for
// concurrent use.
type Policy struct {
	types      []mediaType
	minSize    int64
	algorithms []algorithm
	encoders   *Encoders
}

// New returns the policy, or what is wrong with it.
func New(o Options) (*Policy, error) {
	p := &Policy{minSize: o.MinSize, encoders: o.Encoders}
	if p.minSize == 0 {
		p.minSize = defaultMinSize
	}
	if p.encoders == nil {
		p.encoders = NewEncoders(0)
	}
	types, names := o.Types, o.Algorithms
	if len(types) == 0 {
		types = DefaultTypes
	}
	if len(names) == 0 {
		names = algorithmNames[:]
	}
	for _, text := range types {
		t, err := parseType(text)
		if err != nil {
			return nil, err
		}
		p.types = append(p.types, t)
	}
	for _, name := range names {
		i := slices.Index(algorithmNames[:], name)
		if i < 0 || slices.Contains(p.algorithms, algorithm(i)) {
			return nil, fmt.Errorf("%q is not an algorithm, or is listed twice; there are zstd and gzip", name)
		}
		p.algorithms = append(p.algorithms, algorithm(i))
	}
	return p, nil
}

// Encode has the final response of x reach its client in the coding c, if it is one
// that gets smaller. It returns the response's new Body, to be released once the
// response was sent; nil if the response stays as it is.
func (p *Policy) Encode(c Choice, x *exchange.Exchange, resp *exchange.Response) *Body {
	if c == None || !p.worthIt(x, resp) {
		return nil
	}
	a := p.algorithms[c-1]
	b := p.encoders.take(a)
	if b == nil {
		return nil
	}
	b.source = resp.Body
	resp.Body, resp.Length = b, exchange.LengthUnknown
	describe(x, resp, a)
	return b
}

// worthIt reports whether a response may be compressed, and gets smaller by it.
func (p *Policy) worthIt(x *exchange.Exchange, resp *exchange.Response) bool {
	if resp.Body == nil || resp.Tunnel != nil || x.Request.Method == exchange.MethodHead || !mayEncode(resp.Status) {
		return false
	}
	// To HTTP/1.0, content without length ends with the connection, which would
	// cost the client its connection, and hide that content is cut short.
	if x.Request.Minor == 0 || resp.Length >= 0 && resp.Length < p.minSize {
		return false
	}
	contentType, ok := resp.Header.Get(exchange.FieldContentType)
	return ok && p.lists(contentType) && !speaksAgainst(resp.Header)
}

// mayEncode reports whether responses of that status have content that is whole.
func mayEncode(status int) bool {
	switch status {
	case http.StatusNoContent, http.StatusResetContent, http.StatusPartialContent, http.StatusNotModified:
		return false
	default:
		return status >= 200
	}
}

// speaksAgainst reports whether a field says that the content is to stay as it is.
func speaksAgainst(h exchange.Header) bool {
	for i := range h {
		f := &h[i]
		switch {
		case f.ID == exchange.FieldContentEncoding, exchange.EqualFold(f.Name, "Content-Range"):
			return true
		case exchange.EqualFold(f.Name, "Cache-Control") && has(f.Value, "no-transform"):
			return true
		}
	}
	return false
}

// has reports whether a list has that item.
func has(list []byte, item string) bool {
	for len(list) > 0 {
		first, rest, _ := bytes.Cut(list, []byte{','})
		if exchange.EqualFold(bytes.TrimSpace(first), item) {
			return true
		}
		list = rest
	}
	return false
}
