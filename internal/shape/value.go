package shape

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// appendText appends what has one form as text.
func appendText(dst []byte, val ref.Val) ([]byte, error) {
	switch x := val.(type) {
	case types.String:
		return append(dst, x...), nil
	case types.Int:
		return strconv.AppendInt(dst, int64(x), 10), nil
	case types.Uint:
		return strconv.AppendUint(dst, uint64(x), 10), nil
	case types.Double:
		return strconv.AppendFloat(dst, float64(x), 'g', -1, 64), nil
	case types.Bool:
		return strconv.AppendBool(dst, bool(x)), nil
	default:
		return dst, unusable("this is %s, which has no form as text", describe(val.Type()))
	}
}

func intOf(val ref.Val) (int64, error) {
	switch x := val.(type) {
	case types.Int:
		return int64(x), nil
	case types.Uint:
		if x <= math.MaxInt64 {
			return int64(x), nil
		}
	case types.Double: // JSON knows one kind of number
		if n := int64(x); types.Double(n) == x {
			return n, nil
		}
	}
	return 0, unusable("this is %s, not a whole number", describe(val.Type()))
}

// maxDepth bounds how deep a value may be, to be written as JSON.
const maxDepth = 200

// appendJSON appends a value as JSON, of limit bytes at most.
func appendJSON(dst []byte, val ref.Val, limit int) ([]byte, error) {
	w := jsonWriter{dst: dst, limit: len(dst) + limit}
	err := w.value(val, 0)
	return w.dst, err
}

type jsonWriter struct {
	dst   []byte
	limit int
}

func (w *jsonWriter) value(val ref.Val, depth int) error {
	switch {
	case len(w.dst) > w.limit:
		return unusable("the value is larger than %d bytes", w.limit)
	case depth > maxDepth:
		return unusable("the value is deeper than %d", maxDepth)
	}
	if m, ok := val.(*mapping); ok {
		val = m.whole()
	}
	switch x := val.(type) {
	case traits.Mapper:
		return w.object(x, depth)
	case traits.Lister:
		return w.list(x, depth)
	}
	return w.scalar(val)
}

func (w *jsonWriter) scalar(val ref.Val) (err error) {
	switch x := val.(type) {
	case types.Null:
		w.dst = append(w.dst, "null"...)
	case types.String:
		err = w.text(string(x))
	case types.Bytes:
		err = w.text(base64.StdEncoding.EncodeToString(x))
	case types.Timestamp:
		err = w.text(x.UTC().Format(time.RFC3339Nano))
	case types.Duration:
		err = w.text(strconv.FormatFloat(x.Seconds(), 'f', -1, 64) + "s")
	case types.Double:
		var number []byte
		number, err = json.Marshal(float64(x))
		w.dst = append(w.dst, number...)
	case types.Bool, types.Int, types.Uint:
		w.dst, err = appendText(w.dst, val)
	default:
		return unusable("this is %s, which has no form in JSON", describe(val.Type()))
	}
	if err != nil {
		return unusable("%v", err)
	}
	if len(w.dst) > w.limit {
		return unusable("the value is larger than %d bytes", w.limit)
	}
	return nil
}

// text appends a string, with nothing escaped that need not be.
func (w *jsonWriter) text(s string) error {
	if len(w.dst)+len(s) > w.limit {
		return unusable("the value is larger than %d bytes", w.limit)
	}
	w.dst = appendString(w.dst, s)
	return nil
}

func (w *jsonWriter) list(l traits.Lister, depth int) error {
	w.dst = append(w.dst, '[')
	first := true
	for it := l.Iterator(); it.HasNext() == types.True; first = false {
		if !first {
			w.dst = append(w.dst, ',')
		}
		if err := w.value(it.Next(), depth+1); err != nil {
			return err
		}
	}
	w.dst = append(w.dst, ']')
	return nil
}

// object appends a map, by its keys in their order as texts: the same value
// always gives the same bytes.
func (w *jsonWriter) object(m traits.Mapper, depth int) error {
	entries, err := entriesOf(m)
	if err != nil {
		return err
	}
	w.dst = append(w.dst, '{')
	for i, e := range entries {
		if i > 0 {
			w.dst = append(w.dst, ',')
		}
		if err := w.text(e.name); err != nil {
			return err
		}
		w.dst = append(w.dst, ':')
		if err := w.value(e.val, depth+1); err != nil {
			return err
		}
	}
	w.dst = append(w.dst, '}')
	return nil
}

type entry struct {
	name string
	val  ref.Val
}

// entriesOf returns the entries of a map, sorted by name.
func entriesOf(m traits.Mapper) ([]entry, error) {
	var entries []entry
	for it := m.Iterator(); it.HasNext() == types.True; {
		key := it.Next()
		name, err := appendText(nil, key)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry{string(name), m.Get(key)})
	}
	slices.SortFunc(entries, func(a, b entry) int {
		switch {
		case a.name < b.name:
			return -1
		case a.name > b.name:
			return 1
		}
		return 0
	})
	return entries, nil
}

const hexDigits = "0123456789abcdef"

// appendString appends s in quotes (RFC 8259 §7). Bytes that are not UTF-8 become
// U+FFFD, for JSON has no other way to write them.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, '\\', 'n')
		case r == '\r':
			dst = append(dst, '\\', 'r')
		case r == '\t':
			dst = append(dst, '\\', 't')
		case r < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[r>>4], hexDigits[r&15])
		default:
			dst = append(dst, string(r)...)
		}
	}
	return append(dst, '"')
}
