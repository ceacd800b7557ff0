package shape

import (
	"strings"

	"github.com/google/cel-go/common/types/ref"

	"github.com/weirproxy/weir/internal/exchange"
)

// How fields read: by the lines that are passed on, for what a peer may not say
// is nothing to decide by. Names are compared without regard to case, and listed
// in lower case.
var (
	requestHeaders  = fieldValues(RequestSide)
	requestLines    = fieldLines(RequestSide)
	responseHeaders = fieldValues(ResponseSide)
	responseLines   = fieldLines(ResponseSide)
)

// fieldValues is the header of a side with all lines of a name as one.
func fieldValues(side Side) *source {
	s := textSource(func(v *View, name string) bool { return v.pushJoined(side, name) }, nil)
	s.each = func(v *View, yield func(string, ref.Val) bool) {
		v.eachName(side, func(name string) bool { return yield(name, s.get(v, name)) })
	}
	return s
}

// fieldLines is the header of a side with a list of lines for each name.
func fieldLines(side Side) *source {
	return &source{
		absent: noTexts,
		get: func(v *View, name string) ref.Val {
			if lines := v.linesOf(side, name); lines != nil {
				return listOf(lines)
			}
			return nil
		},
		each: func(v *View, yield func(string, ref.Val) bool) {
			v.eachName(side, func(name string) bool { return yield(name, listOf(v.linesOf(side, name))) })
		},
	}
}

// is reports whether f is passed on and has that name.
func is(f *exchange.Field, name string) bool {
	return !f.Skip && len(f.Name) == len(name) && exchange.EqualFold(f.Name, name)
}

// pushJoined pushes all lines of a name as one; false if there is none. Lines of
// Set-Cookie cannot be joined (RFC 9110 §5.3): of them it is the first.
func (v *View) pushJoined(side Side, name string) bool {
	h := v.headerOf(side)
	found := false
	for i := range h {
		switch {
		case !is(&h[i], name):
			continue
		case h[i].ID == exchange.FieldHost && side == RequestSide:
			v.push(v.Exchange.Request.Authority) // which is what is sent
			return true
		case found && exchange.EqualFold(name, "set-cookie"):
			return true
		case found:
			v.pushString(", ")
		}
		v.push(h[i].Value)
		found = true
	}
	return found
}

// linesOf returns the lines of a name; nil if there is none.
func (v *View) linesOf(side Side, name string) (lines []string) {
	h := v.headerOf(side)
	for i := range h {
		if is(&h[i], name) {
			lines = append(lines, string(h[i].Value))
		}
	}
	return lines
}

// eachName yields each name once, where it stands first.
func (v *View) eachName(side Side, yield func(string) bool) {
	h := v.headerOf(side)
	seen := map[string]bool{}
	for i := range h {
		if h[i].Skip {
			continue
		}
		name := strings.ToLower(string(h[i].Name))
		if seen[name] {
			continue
		}
		seen[name] = true
		if !yield(name) {
			return
		}
	}
}
