package exchange

import "bytes"

// A Field is one field line (RFC 9110 §5), as it was received: same case, same
// bytes, white space around the value removed.
type Field struct {
	Name  []byte
	Value []byte
	// ID tells which field this is when it is one that the proxy acts on.
	ID FieldID
	// Skip says that the field is not passed on: it is hop-by-hop, or comes
	// from somebody who may not set it.
	Skip bool
}

// FieldID names the fields that a proxy acts on, so that nobody compares names
// twice. The parser sets it, case-insensitively.
type FieldID uint8

// The fields that have an ID. All others are FieldOther.
const (
	FieldOther FieldID = iota
	FieldHost
	FieldContentLength
	FieldTransferEncoding
	FieldConnection
	FieldKeepAlive
	FieldProxyConnection
	FieldTE
	FieldTrailer
	FieldUpgrade
	FieldExpect
	FieldDate
	FieldXForwardedFor
	FieldXForwardedProto
	FieldXForwardedHost
	// FieldForwardedAlias is any other name that an endpoint could take for
	// one of the forwarding fields: X-Forwarded-anything, X-Real-IP, and all
	// of them spelled with underscores.
	FieldForwardedAlias
	FieldForwarded
	FieldXRequestID
	FieldTraceparent
	FieldUserAgent
	FieldReferer
	FieldContentType
	FieldContentEncoding
)

// Header is an ordered list of field lines. The zero value is empty.
type Header []Field

// Get returns the value of the first field line with that ID.
func (h Header) Get(id FieldID) (value []byte, ok bool) {
	for i := range h {
		if h[i].ID == id {
			return h[i].Value, true
		}
	}
	return nil, false
}

// Lookup returns the value of the first field line of that name, compared
// without regard to ASCII case.
func (h Header) Lookup(name string) (value []byte, ok bool) {
	for i := range h {
		if EqualFold(h[i].Name, name) {
			return h[i].Value, true
		}
	}
	return nil, false
}

// Lists reports whether one of the comma-separated items of the field lines with
// that ID is token, compared without regard to ASCII case.
func (h Header) Lists(id FieldID, token string) bool {
	for i := range h {
		if h[i].ID != id {
			continue
		}
		for item := range bytes.SplitSeq(h[i].Value, []byte{','}) {
			if EqualFold(bytes.TrimSpace(item), token) {
				return true
			}
		}
	}
	return false
}

// EqualFold reports whether a and b are equal without regard to the case of
// ASCII letters, the way field names and host names compare. Unlike
// bytes.EqualFold it never folds other letters (a Kelvin sign is not a k).
func EqualFold[A, B ~[]byte | ~string](a A, b B) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if a[i] != b[i] && lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}
