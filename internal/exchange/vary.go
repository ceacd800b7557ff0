package exchange

import "bytes"

// nameVary is the field that says what a response depends on (RFC 9110 §12.5.5).
var nameVary = []byte("Vary")

// AddVary returns h, a response's, with a line that says that it depends on the
// request field called name, unless it says so already.
func AddVary(h Header, name []byte) Header {
	for i := range h {
		if !h[i].Skip && EqualFold(h[i].Name, nameVary) && variesBy(h[i].Value, name) {
			return h
		}
	}
	return append(h, Field{Name: nameVary, Value: name})
}

// variesBy reports whether the value of a Vary field names the field, or all.
func variesBy(list, name []byte) bool {
	for item := range bytes.SplitSeq(list, []byte{','}) {
		item = bytes.TrimSpace(item)
		if string(item) == "*" || EqualFold(item, name) {
			return true
		}
	}
	return false
}
