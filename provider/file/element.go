package file

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/weirproxy/weir/endpoint"
	"github.com/weirproxy/weir/provider/internal/registry"
)

// A listing is the endpoints of all files so far.
type listing struct {
	endpoints []endpoint.Endpoint
	names     map[identity]string // where they stand
}

// An identity is what there is once. Endpoints without a name are told apart by whoever
// names them.
type identity struct{ version, name string }

// An element is an endpoint as it is written.
type element struct {
	registry.Content
	name      string
	address   endpoint.Address
	nameStood place
}

// element adds one endpoint: a URL, or an object.
func (l *listing) element(file string, n ast.Node) *mistake {
	e := element{nameStood: firstPlace(n)}
	if m := e.read(n); m != nil {
		return m
	}
	told, err := e.Attributes()
	if err != nil {
		return wrong(firstPlace(n), "%v", err)
	}
	told.Name, told.Address = e.name, e.address
	if e.name != "" {
		id := identity{e.Version, e.name}
		if other, twice := l.names[id]; twice {
			return wrong(e.nameStood, "another endpoint is named %q: %s", e.name, other)
		}
		l.names[id] = fmt.Sprintf("%s:%d:%d", file, e.nameStood.line, e.nameStood.column)
	}
	l.endpoints = append(l.endpoints, told)
	return nil
}

func (e *element) read(n ast.Node) *mistake {
	if text, ok := n.(*ast.StringNode); ok {
		return e.setURL(text.Value, firstPlace(n))
	}
	members, ok := membersOf(n)
	if !ok {
		return wrong(firstPlace(n), "it is %s; write the URL of an endpoint, or an object with a url", kindOf(n))
	}
	for _, m := range members {
		if mistake := e.set(m); mistake != nil {
			return mistake
		}
	}
	if e.URL == "" {
		return wrong(firstPlace(n), "it has no url")
	}
	return nil
}

// legal are the members of an object.
var legal = []string{"name", "url", "weight", "zone", "labels", "version", "concurrency"}

// set takes one member over. Each is checked alone, so that a mistake has its place.
func (e *element) set(member *ast.MappingValueNode) *mistake {
	key := textOf(member.Key)
	at := firstPlace(member.Value)
	if !slices.Contains(legal, key) {
		return wrong(firstPlace(member.Key), "unknown key %q; legal here: %s", registry.Shorten(key), strings.Join(legal, ", "))
	}
	var one registry.Content
	var err error
	switch key {
	case "weight", "concurrency":
		err = setNumber(key, member.Value, &one, &e.Content)
	case "labels":
		one.Labels, err = labelsOf(member.Value)
		e.Labels = one.Labels
	default:
		text, known := scalarOf(member.Value)
		if !known {
			return wrong(at, "%s is %s, want text", key, kindOf(member.Value))
		}
		return e.setText(key, text, at)
	}
	if err == nil {
		_, err = one.Attributes()
	}
	if err != nil {
		return wrong(at, "%v", err)
	}
	return nil
}

func (e *element) setText(key, text string, at place) *mistake {
	var err error
	switch key {
	case "name":
		e.name, e.nameStood = text, at
		err = registry.CheckID("name", text)
	case "url":
		return e.setURL(text, at)
	case "zone":
		e.Zone = text
		err = registry.CheckName("zone", text)
	case "version":
		e.Version = text
		err = registry.CheckName("version", text)
	}
	if err != nil {
		return wrong(at, "%v", err)
	}
	return nil
}

// setURL takes sockets of this machine, too: who writes its files may reach what
// listens on them.
func (e *element) setURL(text string, at place) *mistake {
	read := registry.ReadURL
	if strings.HasPrefix(text, "unix:") && registry.IsPlain(text) {
		read = endpoint.ParseAddress
	}
	var err error
	if e.address, err = read(text); err != nil {
		return wrong(at, "%v", err)
	}
	e.URL = text
	return nil
}

// setNumber reads a whole number into both.
func setNumber(key string, n ast.Node, both ...*registry.Content) error {
	whole, ok := n.(*ast.IntegerNode)
	if !ok {
		return fmt.Errorf("%s is %s, want a whole number", key, kindOf(n))
	}
	value, err := strconv.Atoi(whole.GetToken().Value)
	if err != nil {
		return fmt.Errorf("%s %s is not a whole number in decimal", key, registry.Shorten(whole.GetToken().Value))
	}
	for _, c := range both {
		if key == "weight" {
			c.Weight = &value
		} else {
			c.Concurrency = value
		}
	}
	return nil
}

func labelsOf(n ast.Node) (map[string]string, error) {
	members, ok := membersOf(n)
	if !ok {
		return nil, fmt.Errorf("labels are %s, want texts by name", kindOf(n))
	}
	labels := make(map[string]string, len(members))
	for _, m := range members {
		text, known := scalarOf(m.Value)
		if !known {
			return nil, fmt.Errorf("label %q is %s, want text", registry.Shorten(textOf(m.Key)), kindOf(m.Value))
		}
		labels[textOf(m.Key)] = text
	}
	return labels, nil
}
