package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// finding is something said about a path, before its place in a file is known.
type finding struct {
	path    string
	message string
	atKey   bool // it is the key that is meant, not the value
}

// Validate tells what is wrong with c, taking what is left out for its default.
// It needs no file and reads none: what tls keys name is not looked at.
func (c *Config) Validate() Problems {
	return unplaced(c.WithDefaults().validate(nil))
}

// Warnings tells what is legal in c and unwise.
func (c *Config) Warnings() Problems {
	return unplaced(c.WithDefaults().warn())
}

func unplaced(found []finding) Problems {
	var problems Problems
	for _, f := range found {
		problems = append(problems, Problem{Path: f.path, Message: f.message})
	}
	return problems
}

// checker collects findings about one Config.
type checker struct {
	failed map[string]bool // paths already complained about
	within map[string]bool // paths that have a failed one below them
	found  []finding
}

func (c *checker) add(path, format string, args ...any) {
	c.note(finding{path: path, message: fmt.Sprintf(format, args...)})
}

func (c *checker) addAtKey(path, format string, args ...any) {
	c.note(finding{path: path, message: fmt.Sprintf(format, args...), atKey: true})
}

func (c *checker) note(f finding) {
	for path := f.path; path != ""; path = parentPath(path) {
		if c.failed[path] {
			return
		}
	}
	if !c.failed[""] && len(c.found) < maxProblems {
		c.found = append(c.found, f)
	}
}

// validate is Validate over a Config with its defaults, silent about what
// failed already.
func (c *Config) validate(failed map[string]bool) []finding {
	k := &checker{failed: failed, within: map[string]bool{}}
	for path := range failed {
		for path != "" && !k.within[path] {
			k.within[path] = true
			path = parentPath(path)
		}
	}
	k.tags(reflect.ValueOf(*c), "")
	k.listeners(c)
	k.routes(c)
	k.accessLog(c.AccessLog)
	for _, name := range slices.Sorted(maps.Keys(c.Services)) {
		path := joinKey("services", name)
		if message := badName(name); message != "" {
			k.addAtKey(path, "%s", message)
		}
		k.service(c.Services[name], path)
	}
	return k.found
}

// tags checks everything that the struct tags promise: what is required, which
// values are legal, the bounds of numbers.
func (c *checker) tags(v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			c.tags(v.Elem(), path)
		}
	case reflect.Slice:
		for i := range v.Len() {
			c.tags(v.Index(i), joinIndex(path, i))
		}
	case reflect.Map:
		for _, name := range v.MapKeys() {
			c.tags(v.MapIndex(name), joinKey(path, name.String()))
		}
	case reflect.Struct:
		for _, k := range keysOf(v.Type()) {
			f, below := v.Field(k.index), joinKey(path, k.name)
			if k.required && (f.IsZero() || f.Kind() == reflect.Slice && f.Len() == 0) {
				c.add(below, "%s", k.missing())
			} else if message := k.check(f); message != "" {
				c.add(below, "%s", message)
			}
			c.elements(k, f, below)
			c.tags(f, below)
		}
	}
}

// elements checks those of a list against the values that are legal in it.
func (c *checker) elements(k key, v reflect.Value, path string) {
	if len(k.enum) == 0 || v.Kind() != reflect.Slice {
		return
	}
	for i := range v.Len() {
		if message := k.checkEnum(v.Index(i).String()); message != "" {
			c.add(joinIndex(path, i), "%s", message)
		}
	}
}

// broken tells whether something at, around or below one of the paths could not
// be read, so that what it would have said is not known.
func (c *checker) broken(paths ...string) bool {
	for _, path := range paths {
		for at := path; at != ""; at = parentPath(at) {
			if c.failed[at] {
				return true
			}
		}
		if c.failed[""] || c.within[path] {
			return true
		}
	}
	return false
}

// maxName bounds the names of services and endpoints; they become labels of
// metrics.
const maxName = 128

// badName tells what is wrong with the name of a service or an endpoint. It
// stands in URLs of the admin API, so it must be one plain segment; @ and
// braces have a meaning in routes.
func badName(name string) string {
	switch {
	case name == "":
		return "a name must not be empty"
	case len(name) > maxName:
		return fmt.Sprintf("a name has at most %d characters", maxName)
	case !onlyOf(name, keyChars+"."):
		return "the name " + quote(name) + " has other characters than letters, digits, . _ and -"
	case strings.Trim(name, ".") == "":
		return "the name " + quote(name) + " is nothing but dots"
	}
	return ""
}

func onlyOf(s, chars string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !strings.ContainsRune(chars, r) }) < 0
}
