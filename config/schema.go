package config

import (
	"encoding"
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// key is a field of a struct as the file knows it; see the package doc for the
// tags.
type key struct {
	name     string
	index    int
	def      string
	min, max string
	zero     string
	enum     []string
	required bool
	why      string // it is required, if that is not plain
	scalar   bool
	bare     bool
	secret   bool
}

// knownKeys holds what keysOf has found already, by type: tags are slow to read, and
// a file may have a hundred thousand of one type.
var knownKeys sync.Map

// keysOf lists the keys of struct type t, for reading only.
func keysOf(t reflect.Type) []key {
	if keys, ok := knownKeys.Load(t); ok {
		return keys.([]key)
	}
	keys := readKeys(t)
	knownKeys.Store(t, keys)
	return keys
}

func readKeys(t reflect.Type) []key {
	keys := make([]key, 0, t.NumField())
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		k := key{
			name:     tag.Get("yaml"),
			index:    i,
			def:      tag.Get("default"),
			min:      tag.Get("min"),
			max:      tag.Get("max"),
			zero:     tag.Get("zero"),
			required: tag.Get("required") != "",
			scalar:   tag.Get("scalar") == "true",
			bare:     tag.Get("bare") == "true",
			secret:   tag.Get("secret") == "true",
		}
		if k.name == "" || k.name == "-" {
			continue
		}
		if k.required && tag.Get("required") != "true" {
			k.why = tag.Get("required")
		}
		if enum := tag.Get("enum"); enum != "" {
			k.enum = strings.Split(enum, ",")
		}
		keys = append(keys, k)
	}
	return keys
}

// missing is said of a required key that was left out, or is empty.
func (k key) missing() string {
	if k.why == "" {
		return "is required"
	}
	return "is required; without it " + k.why
}

// number parses text as the type of v, which is some integer.
func number(v reflect.Value, text string) int64 {
	n := reflect.New(v.Type()).Elem()
	if err := setText(n, text); err != nil {
		panic("config: tag of " + v.Type().String() + ": " + err.Error())
	}
	return n.Int()
}

// defaultsToZero tells whether leaving the key out is the same as writing 0.
func (k key) defaultsToZero(v reflect.Value) bool {
	return k.def == "" || number(v, k.def) == 0
}

// check tells what is wrong with v, or "". Zero passes: it stands for the
// default, or it was decided on when it was read.
func (k key) check(v reflect.Value) string {
	switch {
	case len(k.enum) > 0 && v.Kind() == reflect.String:
		return k.checkEnum(v.String())
	case v.CanInt():
		return k.checkBounds(v)
	}
	return ""
}

func (k key) checkEnum(s string) string {
	for _, legal := range k.enum {
		if s == legal || s == "" {
			return ""
		}
	}
	if len(k.enum) == 1 {
		return fmt.Sprintf("unknown value %s; the only one is %s", quote(s), k.enum[0])
	}
	return fmt.Sprintf("unknown value %s%s; write one of %s", quote(s), didYouMean(s, k.enum), strings.Join(k.enum, ", "))
}

func (k key) checkBounds(v reflect.Value) string {
	n := v.Int()
	switch {
	case n == 0, n == Off && k.zero != "":
		return ""
	case n < 0:
		return "must not be negative"
	case k.min != "" && n < number(v, k.min):
		return "must be at least " + k.min
	case k.max != "" && n > number(v, k.max):
		return "must be at most " + k.max
	}
	return ""
}

// leastWait is the min of keys that bound a wait.
const leastWait = "1ms"

// settleZero decides what a 0 that was written means, as opposed to a key left
// out: it becomes Off where that differs from the default, and is refused where
// nothing would be left to bound a wait or a buffer.
func (k key) settleZero(v reflect.Value) string {
	switch {
	case k.zero != "" && !k.defaultsToZero(v):
		v.SetInt(Off)
	case k.zero == "" && k.min == leastWait && v.Type() == reflect.TypeFor[Duration]():
		return "must not be 0, which would leave a wait without bound; the default is " + k.def
	case k.zero == "" && k.min != "":
		return "must be at least " + k.min
	}
	return ""
}

// setText sets a scalar from its written form.
func setText(v reflect.Value, text string) error {
	switch p := v.Addr().Interface().(type) {
	case *netip.Prefix:
		prefix, err := parsePrefix(text)
		*p = prefix
		return err
	case encoding.TextUnmarshaler:
		return p.UnmarshalText([]byte(text))
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		if text != "true" && text != "false" {
			return fmt.Errorf("%s is neither true nor false", quote(text))
		}
		v.SetBool(text == "true")
	case reflect.Int:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fmt.Errorf("%s is not a whole number", quote(text))
		}
		v.SetInt(n)
	default:
		panic("config: no scalar form of " + v.Type().String())
	}
	return nil
}

// parsePrefix reads a CIDR block, or an address as the block that holds only
// it. IPv4 written inside IPv6 is unwrapped: peers are compared unwrapped.
func parsePrefix(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%s is neither an address nor a block; write 10.0.0.0/8 or 10.0.0.1", quote(text))
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}
