package shape

import (
	"bytes"
	"net/url"
	"strings"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/weirproxy/weir/internal/exchange"
)

// queryFirst is the query with the first value of each name, queryAll with all.
var (
	queryFirst = &source{
		absent: empty,
		get: func(v *View, key string) (found ref.Val) {
			v.pairs(func(name, value string) bool {
				if name == key {
					found = types.String(value)
				}
				return found == nil
			})
			return found
		},
		each: func(v *View, yield func(string, ref.Val) bool) {
			eachOnce(v.pairs, func(name string, values []string) bool { return yield(name, types.String(values[0])) })
		},
	}
	queryAll = &source{
		absent: noTexts,
		get: func(v *View, key string) ref.Val {
			var values []string
			v.pairs(func(name, value string) bool {
				if name == key {
					values = append(values, value)
				}
				return true
			})
			if values == nil {
				return nil
			}
			return listOf(values)
		},
		each: func(v *View, yield func(string, ref.Val) bool) {
			eachOnce(v.pairs, func(name string, values []string) bool { return yield(name, listOf(values)) })
		},
	}
	cookies = &source{
		absent: empty,
		get: func(v *View, key string) (found ref.Val) {
			v.cookiePairs(func(name, value string) bool {
				if name == key {
					found = types.String(value)
				}
				return found == nil
			})
			return found
		},
		each: func(v *View, yield func(string, ref.Val) bool) {
			eachOnce(v.cookiePairs, func(name string, values []string) bool { return yield(name, types.String(values[0])) })
		},
	}
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

// pairs yields the names and values of the query, decoded as forms are.
func (v *View) pairs(yield func(name, value string) bool) {
	for pair := range bytes.SplitSeq(v.Exchange.Request.Query, []byte{'&'}) {
		if len(pair) == 0 {
			continue
		}
		name, value, _ := bytes.Cut(pair, []byte{'='})
		if !yield(decoded(name), decoded(value)) {
			return
		}
	}
}

// decoded decodes percent and plus; what is not encoded soundly stays as it is.
func decoded(b []byte) string {
	text := string(b)
	if strings.ContainsAny(text, "%+") {
		if plain, err := url.QueryUnescape(text); err == nil {
			return plain
		}
	}
	return text
}

// cookiePairs yields the names and values of the cookies, as they are.
func (v *View) cookiePairs(yield func(name, value string) bool) {
	h := v.Exchange.Request.Header
	for i := range h {
		if h[i].Skip || !exchange.EqualFold(h[i].Name, "cookie") {
			continue
		}
		for pair := range bytes.SplitSeq(h[i].Value, []byte{';'}) {
			name, value, ok := bytes.Cut(bytes.TrimSpace(pair), []byte{'='})
			if ok && !yield(string(name), strings.Trim(string(value), `"`)) {
				return
			}
		}
	}
}
