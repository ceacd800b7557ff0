package config

import (
	"reflect"
	"strings"
)

// defaultListener is where clients are served if nobody says otherwise.
const defaultListener = ":8080"

// WithDefaults returns a deep copy of c in which everything left out has its
// default: the tags', a listener on :8080 if there is none, a route for
// everything if there is exactly one service and no route, the service and the
// routes of [Zero] if workers may attach and there are neither, and a HashOn
// where requests are placed by a hash. Compression that is off is left out. Doing it
// twice changes nothing.
func (c *Config) WithDefaults() *Config {
	d := cloneValue(reflect.ValueOf(*c)).Interface().(Config)
	if len(d.Listeners) == 0 {
		d.Listeners = []Listener{{Address: defaultListener}}
	}
	if d.Attach != nil && len(d.Services)+len(d.Routes) == 0 {
		zero := Zero()
		d.Services, d.Routes = zero.Services, zero.Routes
	}
	if len(d.Routes) == 0 && len(d.Services) == 1 {
		for name := range d.Services {
			if name != "" { // that is a mistake of its own
				d.Routes = []Route{{Service: name}}
			}
		}
	}
	for name, s := range d.Services {
		if s.HashOn == "" && s.hashes() {
			s.HashOn = defaultSelector
			d.Services[name] = s
		}
	}
	fill(reflect.ValueOf(&d).Elem())
	for i := range d.Routes {
		if z := d.Routes[i].Compress; z != nil && z.Off {
			d.Routes[i].Compress = nil
		}
	}
	if d.AccessLog != nil && d.AccessLog.Format == "off" {
		d.AccessLog = nil // one way to say it, for whoever reads
	}
	return &d
}

// fill gives every zero field below v the default of its tag. Values of maps
// cannot be set in place, so they are taken out and put back.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			fill(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			fill(v.Index(i))
		}
	case reflect.Map:
		for _, name := range v.MapKeys() {
			e := reflect.New(v.Type().Elem()).Elem()
			e.Set(v.MapIndex(name))
			fill(e)
			v.SetMapIndex(name, e)
		}
	case reflect.Struct:
		for _, k := range keysOf(v.Type()) {
			fillKey(k, v.Field(k.index))
		}
	}
}

func fillKey(k key, v reflect.Value) {
	switch {
	case v.CanInt() && v.Int() == Off && k.zero != "" && k.defaultsToZero(v):
		v.SetInt(0) // Off and 0 say the same here
	case k.def == "" || !v.IsZero():
		fill(v)
	case v.Kind() == reflect.Slice:
		elements := strings.Split(k.def, ",")
		v.Set(reflect.MakeSlice(v.Type(), len(elements), len(elements)))
		for i, text := range elements {
			k.setDefault(v.Index(i), text)
		}
	case v.Kind() != reflect.Bool:
		k.setDefault(v, k.def)
	}
}

func (k key) setDefault(v reflect.Value, text string) {
	if err := setText(v, text); err != nil {
		panic("config: default of " + k.name + ": " + err.Error())
	}
}

// cloneValue copies v and everything that it refers to.
func cloneValue(v reflect.Value) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			c.Set(reflect.New(v.Type().Elem()))
			c.Elem().Set(cloneValue(v.Elem()))
		}
	case reflect.Slice:
		if !v.IsNil() {
			c.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				c.Index(i).Set(cloneValue(v.Index(i)))
			}
		}
	case reflect.Map:
		if !v.IsNil() {
			c.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
			for _, name := range v.MapKeys() {
				c.SetMapIndex(name, cloneValue(v.MapIndex(name)))
			}
		}
	case reflect.Struct:
		if v.Type().PkgPath() == reflect.TypeFor[Config]().PkgPath() {
			for i := range v.NumField() {
				if !v.Type().Field(i).IsExported() {
					continue // copied as it is, above
				}
				c.Field(i).Set(cloneValue(v.Field(i)))
			}
		}
	}
	return c
}
