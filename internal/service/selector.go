package service

import (
	"bytes"

	"github.com/weirproxy/weir/balance"
	"github.com/weirproxy/weir/internal/exchange"
)

// A Selector is the part of a request that it is placed by. The zero value is
// none.
type Selector struct {
	Kind SelectorKind
	// Name is that of the field, the cookie or the parameter.
	Name string
	// Compute returns the key, for SelectComputed.
	Compute func(x *exchange.Exchange) (uint64, bool)
}

// A SelectorKind is a kind of part of a request.
type SelectorKind uint8

// The kinds of selectors.
const (
	SelectNothing SelectorKind = iota
	SelectHeader
	SelectCookie
	SelectQuery
	SelectPath
	SelectHost
	SelectClient
	SelectComputed
)

// Key returns what a request is placed by, as a number that is spread evenly; false
// if it has none.
func (s *Selector) Key(x *exchange.Exchange) (uint64, bool) {
	if s.Kind == SelectNothing {
		return 0, false
	}
	if s.Kind == SelectComputed {
		return s.Compute(x)
	}
	if s.Kind == SelectClient {
		addr := x.Client.Addr.As16()
		return balance.Key(addr[:]), x.Client.Addr.IsValid()
	}
	value := s.value(&x.Request)
	return balance.Key(value), len(value) > 0
}

func (s *Selector) value(req *exchange.Request) []byte {
	switch s.Kind {
	case SelectHeader:
		return fieldValue(req.Header, s.Name)
	case SelectCookie:
		return cookieValue(req.Header, s.Name)
	case SelectQuery:
		return queryValue(req.Query, s.Name)
	case SelectPath:
		return req.Path
	case SelectHost:
		return req.Authority
	default:
		return nil
	}
}

func fieldValue(h exchange.Header, name string) []byte {
	value, _ := h.Lookup(name)
	return value
}

// cookieValue returns the value of the first cookie of that name (RFC 6265
// §4.2.1).
func cookieValue(h exchange.Header, name string) []byte {
	for i := range h {
		if !exchange.EqualFold(h[i].Name, cookieField) {
			continue
		}
		for rest, pair := h[i].Value, []byte(nil); len(rest) > 0; {
			pair, rest, _ = bytes.Cut(rest, semicolon)
			key, value, ok := bytes.Cut(bytes.TrimSpace(pair), equals)
			if ok && string(key) == name {
				return bytes.Trim(value, `"`)
			}
		}
	}
	return nil
}

// queryValue returns the value, as it was sent, of the first parameter of that
// name.
func queryValue(query []byte, name string) []byte {
	for rest, pair := query, []byte(nil); len(rest) > 0; {
		pair, rest, _ = bytes.Cut(rest, ampersand)
		key, value, _ := bytes.Cut(pair, equals)
		if string(key) == name {
			return value
		}
	}
	return nil
}

var cookieField, semicolon, equals, ampersand = []byte("Cookie"), []byte(";"), []byte("="), []byte("&")
