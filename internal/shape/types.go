package shape

import (
	"errors"
	"reflect"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// A record is a type of the objects that expressions see: its name, as users
// read it in messages, and its fields.
type record struct {
	name   string
	typ    *types.Type
	fields []attribute
	byName map[string]*types.FieldType
}

// An attribute is one field of a record, read from a View.
type attribute struct {
	name string
	typ  *types.Type
	get  func(*View) ref.Val
	// One of these reads the same without a value of CEL, if that is possible.
	text   plainText
	truth  plainTruth
	number plainNumber
	source *source
}

// bytesOf is an attribute that is a text in the head.
func bytesOf(name string, at int, read func(v *View) []byte) attribute {
	return attribute{
		name: name, typ: types.StringType,
		get:  func(v *View) ref.Val { return v.copied(at, read(v)) },
		text: func(v *View) { v.push(read(v)) },
	}
}

// stringOf is an attribute that is a string already.
func stringOf(name string, at int, read func(v *View) string) attribute {
	return attribute{
		name: name, typ: types.StringType,
		get:  func(v *View) ref.Val { return v.text(at, read(v)) },
		text: func(v *View) { v.pushString(read(v)) },
	}
}

// truthOf is an attribute that is true or false.
func truthOf(name string, read func(v *View) bool) attribute {
	return attribute{
		name: name, typ: types.BoolType, truth: read,
		get: func(v *View) ref.Val { return types.Bool(read(v)) },
	}
}

// numberOf is an attribute that is a whole number.
func numberOf(name string, read func(v *View) int64) attribute {
	return attribute{
		name: name, typ: types.IntType, number: read,
		get: func(v *View) ref.Val { return types.Int(read(v)) },
	}
}

// mapOf is an attribute that is a map; in is where a View has it.
func mapOf(name string, typ *types.Type, s *source, in func(v *View) *mapping) attribute {
	return attribute{name: name, typ: typ, source: s, get: func(v *View) ref.Val { return in(v) }}
}

// otherOf is an attribute of any type.
func otherOf(name string, typ *types.Type, get func(v *View) ref.Val) attribute {
	return attribute{name: name, typ: typ, get: get}
}

var (
	texts     = types.NewMapType(types.StringType, types.StringType)
	textLists = types.NewMapType(types.StringType, types.NewListType(types.StringType))
	textList  = types.NewListType(types.StringType)
)

func newRecord(name string, fields ...attribute) *record {
	// No text can name a type with such a name.
	r := &record{name: name, typ: types.NewObjectType("@" + name), fields: fields, byName: map[string]*types.FieldType{}}
	for _, f := range fields {
		r.byName[f.name] = &types.FieldType{
			Type:  f.typ,
			IsSet: func(target any) bool { _, ok := target.(*object); return ok },
			GetFrom: func(target any) (any, error) {
				o, ok := target.(*object)
				if !ok {
					return nil, errors.New("there is no such object")
				}
				val := f.get(o.view)
				if err, failed := val.(*types.Err); failed {
					return nil, err
				}
				return val, nil
			},
		}
	}
	return r
}

// field returns the field of a name; nil if there is none.
func (r *record) field(name string) *attribute {
	for i := range r.fields {
		if r.fields[i].name == name {
			return &r.fields[i]
		}
	}
	return nil
}

// names returns the names of the fields.
func (r *record) names() []string {
	names := make([]string, len(r.fields))
	for i := range r.fields {
		names[i] = r.fields[i].name
	}
	return names
}

// provider resolves the records, beside the types of CEL.
type provider struct {
	*types.Registry
}

// records are all there are.
var records = []*record{requestRecord, clientRecord, tlsRecord, responseRecord, endpointRecord, listenerRecord}

var recordsByType = map[string]*record{}

func init() {
	for _, r := range records {
		recordsByType[r.typ.TypeName()] = r
	}
}

func newProvider() (*provider, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	return &provider{registry}, nil
}

// FindStructType implements types.Provider.
func (p *provider) FindStructType(name string) (*types.Type, bool) {
	if r, ok := recordsByType[name]; ok {
		return types.NewTypeTypeWithParam(r.typ), true
	}
	return p.Registry.FindStructType(name)
}

// FindStructFieldType implements types.Provider.
func (p *provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	if r, ok := recordsByType[name]; ok {
		f, found := r.byName[field]
		return f, found
	}
	return p.Registry.FindStructFieldType(name, field)
}

// FindStructFieldNames implements types.Provider.
func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	if r, ok := recordsByType[name]; ok {
		return r.names(), true
	}
	return p.Registry.FindStructFieldNames(name)
}

// NativeToValue implements types.Adapter: nearly everything is a value already.
func (p *provider) NativeToValue(value any) ref.Val {
	if val, ok := value.(ref.Val); ok {
		return val
	}
	return p.Registry.NativeToValue(value)
}

// An object is a value of a record. It has no fields of its own: they are read
// from its View.
type object struct {
	view   *View
	record *record
}

var errNotNative = errors.New("this has no other form")

// ConvertToNative implements ref.Val.
func (o *object) ConvertToNative(reflect.Type) (any, error) { return nil, errNotNative }

// ConvertToType implements ref.Val.
func (o *object) ConvertToType(t ref.Type) ref.Val {
	if t == types.TypeType {
		return o.record.typ
	}
	return types.NewErr("%s cannot be converted to %s", o.record.name, t.TypeName())
}

// Equal implements ref.Val.
func (o *object) Equal(other ref.Val) ref.Val {
	p, ok := other.(*object)
	return types.Bool(ok && p.record == o.record)
}

// Type implements ref.Val.
func (o *object) Type() ref.Type { return o.record.typ }

// Value implements ref.Val.
func (o *object) Value() any { return o }
