package shape

import (
	"bytes"
	"net/url"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// queryFirst is the query with the first value of each name, queryAll with all.
var (
	queryFirst = textSource(
		func(v *View, key string) (found bool) {
			v.pairs(func(name, value []byte) bool {
				if found = isDecoded(name, key); found {
					v.pushDecoded(value)
				}
				return !found
			})
			return found
		},
		func(v *View, yield func(string, ref.Val) bool) {
			eachOnce(v.decodedPairs, func(name string, values []string) bool { return yield(name, types.String(values[0])) })
		},
	)
	queryAll = &source{
		absent: noTexts,
		get: func(v *View, key string) ref.Val {
			var values []string
			v.pairs(func(name, value []byte) bool {
				if isDecoded(name, key) {
					values = append(values, decoded(value))
				}
				return true
			})
			if values == nil {
				return nil
			}
			return listOf(values)
		},
		each: func(v *View, yield func(string, ref.Val) bool) {
			eachOnce(v.decodedPairs, func(name string, values []string) bool { return yield(name, listOf(values)) })
		},
	}
	cookies = textSource(
		func(v *View, key string) (found bool) {
			v.cookiePairs(func(name, value []byte) bool {
				if found = string(name) == key; found {
					v.push(value)
				}
				return !found
			})
			return found
		},
		func(v *View, yield func(string, ref.Val) bool) {
			pairs := func(yield func(name, value string) bool) {
				v.cookiePairs(func(name, value []byte) bool { return yield(string(name), string(value)) })
			}
			eachOnce(pairs, func(name string, values []string) bool { return yield(name, types.String(values[0])) })
		},
	)
)

// eachOnce yields each name of pairs once, with all its values.
func eachOnce(pairs func(func(name, value string) bool), yield func(name string, values []string) bool) {
	var names []string
	all := map[string][]string{}
	pairs(func(name, value string) bool {
		if all[name] == nil {
			names = append(names, name)
		}
		all[name] = append(all[name], value)
		return true
	})
	for _, name := range names {
		if !yield(name, all[name]) {
			return
		}
	}
}

// pairs yields the names and values of the query, as they are.
func (v *View) pairs(yield func(name, value []byte) bool) {
	for rest := v.Exchange.Request.Query; len(rest) > 0; {
		var pair []byte
		pair, rest, _ = bytes.Cut(rest, []byte{'&'})
		if len(pair) == 0 {
			continue
		}
		name, value, _ := bytes.Cut(pair, []byte{'='})
		if !yield(name, value) {
			return
		}
	}
}

// decodedPairs yields the names and values of the query, decoded as forms are.
func (v *View) decodedPairs(yield func(name, value string) bool) {
	v.pairs(func(name, value []byte) bool { return yield(decoded(name), decoded(value)) })
}

// decoded decodes percent and plus; what is not encoded soundly stays as it is.
func decoded(b []byte) string {
	text := string(b)
	if isEncoded(b) {
		if plain, err := url.QueryUnescape(text); err == nil {
			return plain
		}
	}
	return text
}

func isEncoded(b []byte) bool { return bytes.IndexByte(b, '%') >= 0 || bytes.IndexByte(b, '+') >= 0 }

// isDecoded reports whether b is text, once decoded.
func isDecoded(b []byte, text string) bool {
	if isEncoded(b) {
		return decoded(b) == text
	}
	return string(b) == text
}

// pushDecoded pushes b decoded.
func (v *View) pushDecoded(b []byte) {
	if isEncoded(b) {
		v.pushString(decoded(b))
		return
	}
	v.push(b)
}

// cookiePairs yields the names and values of the cookies, as they are.
func (v *View) cookiePairs(yield func(name, value []byte) bool) {
	h := v.Exchange.Request.Header
	for i := range h {
		if !is(&h[i], "cookie") {
			continue
		}
		for rest := h[i].Value; len(rest) > 0; {
			var pair []byte
			pair, rest, _ = bytes.Cut(rest, []byte{';'})
			name, value, ok := bytes.Cut(bytes.TrimSpace(pair), []byte{'='})
			if ok && !yield(name, bytes.Trim(value, `"`)) {
				return
			}
		}
	}
}
