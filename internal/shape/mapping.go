package shape

import (
	"reflect"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// A source is something of an exchange that reads as a map.
type source struct {
	// get returns the value of a key, nil if it is absent.
	get func(v *View, key string) ref.Val
	// each yields all keys, each once, in their order.
	each func(v *View, yield func(key string, val ref.Val) bool)
	// absent is what an absent key reads as.
	absent ref.Val
	// push pushes the text of a key, and reports whether there is one. It is nil if
	// values are no texts.
	push func(v *View, key string) bool
}

// textSource is a source of texts.
func textSource(push func(v *View, key string) bool, each func(*View, func(string, ref.Val) bool)) *source {
	return &source{
		absent: empty, push: push, each: each,
		get: func(v *View, key string) ref.Val {
			at := len(v.stack)
			present := push(v, key)
			text := v.pop(at)
			if !present {
				return nil
			}
			return types.String(text)
		},
	}
}

// has reports whether there is that key.
func (s *source) has(v *View, key string) bool {
	if s.push == nil {
		return s.get(v, key) != nil
	}
	at := len(v.stack)
	present := s.push(v, key)
	v.pop(at)
	return present
}

// A mapping is a source of one View, as CEL sees it. It is not a traits.Mapper:
// to CEL that is a map in which reading an absent key is an error, and here it
// reads as empty, while has() and "in" tell that it is absent.
type mapping struct {
	view   *View
	source *source
}

var (
	_ traits.Indexer     = (*mapping)(nil)
	_ traits.FieldTester = (*mapping)(nil)
	_ traits.Container   = (*mapping)(nil)
	_ traits.Iterable    = (*mapping)(nil)
	_ traits.Sizer       = (*mapping)(nil)
)

// Get implements traits.Indexer.
func (m *mapping) Get(key ref.Val) ref.Val {
	if name, ok := key.(types.String); ok {
		if val := m.source.get(m.view, string(name)); val != nil {
			return val
		}
		return m.source.absent
	}
	return types.NewErr("the keys of this are texts")
}

// IsSet implements traits.FieldTester.
func (m *mapping) IsSet(key ref.Val) ref.Val { return m.Contains(key) }

// Contains implements traits.Container.
func (m *mapping) Contains(key ref.Val) ref.Val {
	name, ok := key.(types.String)
	return types.Bool(ok && m.source.has(m.view, string(name)))
}

// Size implements traits.Sizer.
func (m *mapping) Size() ref.Val {
	n := 0
	m.source.each(m.view, func(string, ref.Val) bool { n++; return true })
	return types.Int(n)
}

// Iterator implements traits.Iterable: over the keys, in their order.
func (m *mapping) Iterator() traits.Iterator {
	var keys []string
	m.source.each(m.view, func(key string, _ ref.Val) bool {
		keys = append(keys, key)
		return true
	})
	return types.NewStringList(types.DefaultTypeAdapter, keys).Iterator()
}

// whole returns the mapping as a map of CEL's own.
func (m *mapping) whole() traits.Mapper {
	all := map[ref.Val]ref.Val{}
	m.source.each(m.view, func(key string, val ref.Val) bool {
		all[types.String(key)] = val
		return true
	})
	return types.NewRefValMap(types.DefaultTypeAdapter, all)
}

// ConvertToNative implements ref.Val.
func (m *mapping) ConvertToNative(t reflect.Type) (any, error) { return m.whole().ConvertToNative(t) }

// ConvertToType implements ref.Val.
func (m *mapping) ConvertToType(t ref.Type) ref.Val {
	if t == types.MapType {
		return m
	}
	return m.whole().ConvertToType(t)
}

// Equal implements ref.Val.
func (m *mapping) Equal(other ref.Val) ref.Val {
	if o, ok := other.(*mapping); ok {
		other = o.whole()
	}
	return m.whole().Equal(other)
}

// Type implements ref.Val.
func (m *mapping) Type() ref.Type { return types.MapType }

// Value implements ref.Val.
func (m *mapping) Value() any { return m }
