package router

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxMethods is how many different methods the routes of one table may name:
// a set of them is the bits of a word. The IANA registry has about forty.
const maxMethods = 64

// methods are the methods that the routes of a table name, in the order in
// which they were first named. The place of one is its bit in a methodSet.
type methods struct {
	names []string
}

// A methodSet is a set of the table's methods. The empty one stands for all
// methods in a rule, and for one that no route names in a request.
type methodSet uint64

// find returns the set of the one method, or the empty set if it is not named.
func (ms *methods) find(method []byte) methodSet {
	for i, name := range ms.names {
		if name == string(method) {
			return 1 << i
		}
	}
	return 0
}

// set returns the set of the named methods, which become known.
func (ms *methods) set(names []string) (methodSet, error) {
	var set methodSet
	for _, name := range names {
		if err := checkMethod(name); err != nil {
			return 0, err
		}
		i := slices.Index(ms.names, name)
		if i < 0 {
			if i = len(ms.names); i == maxMethods {
				return 0, fmt.Errorf("%q is one too many: all routes together may name %d different methods", name, maxMethods)
			}
			ms.names = append(ms.names, name)
		}
		set |= 1 << i
	}
	return set, nil
}

// append appends the names of a set, sorted, with ", " between them. Sets are
// tiny and this is the way of an error, so the next name is looked for anew.
func (ms *methods) append(dst []byte, set methodSet) []byte {
	last := ""
	for {
		next := ""
		for i, name := range ms.names {
			if set&(1<<i) != 0 && name > last && (next == "" || name < next) {
				next = name
			}
		}
		if next == "" {
			return dst
		}
		if last != "" {
			dst = append(dst, ", "...)
		}
		dst = append(dst, next...)
		last = next
	}
}

// standardMethods are those of RFC 9110 and PATCH. A route that spells one of
// them in another case is a mistake: it would match nothing.
var standardMethods = []string{
	"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
}

func checkMethod(name string) error {
	if !isToken(name) {
		return errors.New("not a method")
	}
	if upper := strings.ToUpper(name); upper != name && slices.Contains(standardMethods, upper) {
		return fmt.Errorf("methods are case-sensitive, write %s", upper)
	}
	return nil
}

// isToken reports whether s is a token (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !isAlnum(c) && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

func isAlnum(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
