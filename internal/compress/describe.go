package compress

import "github.com/weirproxy/weir/internal/exchange"

const acceptEncoding = "Accept-Encoding"

var (
	nameContentEncoding = []byte("Content-Encoding")
	nameAcceptEncoding  = []byte(acceptEncoding)
	codings             = [algorithms][]byte{algZstd: []byte(algorithmNames[algZstd]), algGzip: []byte(algorithmNames[algGzip])}
)

// describe keeps true what the fields of a response say of its content.
func describe(x *exchange.Exchange, resp *exchange.Response, a algorithm) {
	h := resp.Header
	for i := range h {
		f := &h[i]
		switch {
		case f.ID == exchange.FieldContentLength, exchange.EqualFold(f.Name, "Accept-Ranges"), isDigest(f.Name):
			f.Skip = true
		case exchange.EqualFold(f.Name, "ETag"):
			f.Value = weak(x, f.Value)
		}
	}
	h = append(h, exchange.Field{Name: nameContentEncoding, Value: codings[a], ID: exchange.FieldContentEncoding})
	resp.Header = exchange.AddVary(h, nameAcceptEncoding)
}

// weak returns an entity tag that says only that the content means the same:
// "byte-for-byte" it is another one now (RFC 9110 §8.8.1).
func weak(x *exchange.Exchange, tag []byte) []byte {
	if len(tag) == 0 || tag[0] != '"' {
		return tag
	}
	at := len(x.Scratch)
	x.Scratch = append(append(x.Scratch, "W/"...), tag...)
	return x.Scratch[at:len(x.Scratch):len(x.Scratch)]
}

// isDigest reports whether a field of that name is of the bytes of the content
// (RFC 9530, RFC 3230, RFC 1864).
func isDigest(name []byte) bool {
	switch len(name) {
	case len("Digest"):
		return exchange.EqualFold(name, "Digest")
	case len("Content-MD5"): // and Repr-Digest
		return exchange.EqualFold(name, "Content-MD5") || exchange.EqualFold(name, "Repr-Digest")
	case len("Content-Digest"):
		return exchange.EqualFold(name, "Content-Digest")
	default:
		return false
	}
}
