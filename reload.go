package weir

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/internal/attach"
)

// This file is how a running proxy takes over another configuration: what differs
// is found first, key by key, and then all of it is done, or nothing.

// changeable are the keys that Apply changes, with everything below them. Everything
// else needs a restart.
var changeable = map[string]bool{
	"access_log":          true,
	"attach.certificates": true,
	"attach.max_age":      true, // of connections that come later
	"attach.routers":      true,
	"attach.tokens":       true,
	"paths":               true,
	"routes":              true,
	"services":            true,
	"shutdown":            true, // it is heeded by whoever runs the proxy
	"trusted_proxies":     true,
}

// Apply has the proxy go by c from the next request on: services and their
// endpoints, routes, the access log, who may attach and serve what. Files that c
// names are read again.
//
// What is the same stays as it is: an endpoint keeps its state, its counters and its
// connections as long as its name and its address do, requests and tunnels under way
// are not touched, and who waits in a queue goes on waiting. An endpoint that is left
// out gets nothing new and finishes what it has. Connections of workers that may no
// longer serve what they do are closed; the others have the timeouts and the host of
// their service as they were when they attached.
//
// It is all or nothing: if something is wrong, or differs in a key that only a
// restart can change (listeners, attach.address and attach.tls, admin, metrics,
// limits, errors), everything stays as it was. The error is a [config.Problems] then,
// with one for each key, placed in the file if c was read from one; or it says which
// file cannot be read.
func (p *Proxy) Apply(c Config) error {
	next := c.WithDefaults()
	if err := next.Validate().Err(); err != nil {
		return err
	}
	p.applying.Lock()
	defer p.applying.Unlock()
	if p.over {
		return errEnded
	}
	if err := p.needsRestart(next).Err(); err != nil {
		return err
	}
	return p.apply(next)
}

// apply does first what can fail.
func (p *Proxy) apply(next *Config) error {
	found := &problems{cfg: next}
	pl := newPlan(p, next, found)
	rules, routers := found.workerRules()
	commit, err := prepareReload(p.listenerTLS(), p.services.clientTLS())
	if err == nil {
		err = found.list.Err()
	}
	if err == nil {
		err = p.replaceAccessLog(next)
	}
	if err != nil {
		pl.discard(p)
		return err
	}
	commit()
	p.enact(pl)
	if p.workers.door == nil {
		return nil
	}
	p.attach.routers.Store(&routers)
	return p.workers.door.SetRules(rules) // which have been checked
}

// workerRules says who may attach, and of which further routers workers are told.
func (p *problems) workerRules() (rules attach.Rules, routers []string) {
	a := p.cfg.Attach
	if a == nil {
		return rules, nil
	}
	rules = attachRules(a)
	if err := rules.Check(); err != nil {
		p.add("attach", err)
	}
	return rules, a.Routers
}

// replaceAccessLog has lines go where next says; if they cannot, they go on where
// they went.
func (p *Proxy) replaceAccessLog(next *Config) error {
	if err := p.observer.SetAccessLog(p.logOptions(next)); err != nil {
		return config.Problems{next.At("access_log.path", err.Error())}
	}
	return nil
}

// needsRestart lists the keys in which next differs from what runs, but for those
// that can be changed.
func (p *Proxy) needsRestart(next *Config) (found config.Problems) {
	var d difference
	d.values("", reflect.ValueOf(*p.config()), reflect.ValueOf(*next))
	for _, path := range d.paths {
		found = append(found, next.At(path, "differs from what the running proxy was started with, and only a restart can change it"))
	}
	return found
}

// A difference collects the paths of what two configurations do not have in
// common, in the order of the keys.
type difference struct{ paths []string }

func (d *difference) values(path string, a, b reflect.Value) {
	switch {
	case changeable[path]:
	case a.Kind() == reflect.Pointer && !a.IsNil() && !b.IsNil():
		d.values(path, a.Elem(), b.Elem())
	case a.Kind() == reflect.Struct && hasKeys(a.Type()):
		d.structs(path, a, b)
	case a.Kind() == reflect.Slice && hasKeys(a.Type().Elem()) && a.Len() == b.Len():
		for i := range a.Len() {
			d.values(path+"["+strconv.Itoa(i)+"]", a.Index(i), b.Index(i))
		}
	case a.Kind() == reflect.Map:
		d.maps(path, a, b)
	case isEmptyList(a) && isEmptyList(b): // nil or not
	case !reflect.DeepEqual(a.Interface(), b.Interface()):
		d.paths = append(d.paths, path)
	}
}

func (d *difference) structs(path string, a, b reflect.Value) {
	for i := range a.NumField() {
		switch field := a.Type().Field(i); {
		case !field.IsExported():
		case field.Tag.Get("yaml") != "-":
			d.values(below(path, field.Tag.Get("yaml")), a.Field(i), b.Field(i))
		case !a.Field(i).Equal(b.Field(i)): // the scalar off in place of the section
			d.paths = append(d.paths, path)
			return
		}
	}
}

func (d *difference) maps(path string, a, b reflect.Value) {
	names := map[string]bool{}
	for _, name := range append(a.MapKeys(), b.MapKeys()...) {
		names[name.String()] = true
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		key := reflect.ValueOf(name).Convert(a.Type().Key())
		in, out := a.MapIndex(key), b.MapIndex(key)
		if in.IsValid() && out.IsValid() {
			d.values(below(path, name), in, out)
		} else {
			d.paths = append(d.paths, below(path, name))
		}
	}
}

// hasKeys reports whether a type is a mapping of the file, rather than a value
// that happens to be a struct.
func hasKeys(t reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	for i := range t.NumField() {
		if t.Field(i).Tag.Get("yaml") != "" {
			return true
		}
	}
	return false
}

func isEmptyList(v reflect.Value) bool { return v.Kind() == reflect.Slice && v.Len() == 0 }

// plainKey has the characters that need no quotes in a path.
const plainKey = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

// below appends a key to a path, as problems show it.
func below(path, key string) string {
	switch {
	case key == "" || strings.Trim(key, plainKey) != "":
		return path + "[" + strconv.Quote(key) + "]"
	case path == "":
		return key
	}
	return path + "." + key
}
