package zookeeper

import (
	"slices"
	"strings"

	"github.com/go-zookeeper/zk"

	"github.com/weirproxy/weir/provider/internal/registry"
)

// A question is what is to be read of a node.
type question struct {
	path           string
	data, children bool
}

// unite makes one question of all about the same node.
func unite(asked map[question]bool) []question {
	byPath := map[string]question{}
	for q := range asked {
		u := byPath[q.path]
		byPath[q.path] = question{q.path, u.data || q.data, u.children || q.children}
	}
	list := make([]question, 0, len(byPath))
	for _, q := range byPath {
		list = append(list, q)
	}
	return list
}

// An answer is what was read of a node.
type answer struct {
	question
	gone bool
	// forbidden says that we may not read it.
	forbidden error

	// If the data was asked for:
	value     []byte
	written   int64 // when, as ZooKeeper counts
	ephemeral bool

	// If the children were asked for, and it can have some:
	names  []string
	listed int64 // when one came or went last
}

// A tree is what is known of the nodes of a service. It does no reading of its own:
// it takes answers in and says what to ask next.
type tree struct {
	service string // its path
	there   bool   // the service has a node
	top     children
	nodes   map[string]*node // by path without that of the service: ID, VERSION or VERSION/ID
	crowded bool             // there are nodes that were not taken in
}

type node struct {
	entry     registry.Entry
	empty     bool
	ephemeral bool
	written   int64
	below     children
}

// children are the nodes that stand below one, and when that was so.
type children struct {
	names  []string
	listed int64
}

func newTree(service string) *tree {
	return &tree{service: service, nodes: map[string]*node{}}
}

// first is what to ask to begin with.
func (t *tree) first() question { return question{path: t.service, children: true} }

// key returns the path of a node without that of the service, empty for the service
// itself.
func (t *tree) key(path string) string {
	return strings.TrimPrefix(strings.TrimPrefix(path, t.service), "/")
}

func (t *tree) pathOf(key string) string { return t.service + "/" + key }

// take takes an answer in, and returns what to ask because of it.
func (t *tree) take(a answer) []question {
	key := t.key(a.path)
	if key == "" {
		t.there = !a.gone
		return t.list(&t.top, "", a)
	}
	n := t.nodes[key]
	switch {
	case n == nil: // it has gone meanwhile
		return nil
	case a.gone:
		t.drop(key)
		return nil
	case a.forbidden != nil:
		n.entry, n.empty = registry.Entry{Wrong: a.forbidden}, false
		return nil
	}
	if a.data {
		n.entry, n.empty = registry.ReadEntry(key, a.value), len(a.value) == 0
		n.written, n.ephemeral = a.written, a.ephemeral
	}
	if !a.children || n.ephemeral {
		return nil
	}
	return t.list(&n.below, key+"/", a)
}

// list takes in which nodes stand below one, and returns what to ask of those that
// are new.
func (t *tree) list(below *children, prefix string, a answer) (ask []question) {
	slices.Sort(a.names)
	for _, name := range below.names {
		if _, found := slices.BinarySearch(a.names, name); !found {
			t.drop(prefix + name)
		}
	}
	*below = children{a.names, a.listed}
	for _, name := range a.names {
		key := prefix + name
		switch {
		case t.nodes[key] != nil:
		case len(t.nodes) >= MaxEndpoints:
			t.crowded = true
			return ask
		default:
			t.nodes[key] = &node{empty: true}
			ask = append(ask, question{path: t.pathOf(key), data: true, children: prefix == ""})
		}
	}
	return ask
}

// drop forgets a node and what stands below it.
func (t *tree) drop(key string) {
	n := t.nodes[key]
	if n == nil {
		return
	}
	delete(t.nodes, key)
	for _, name := range n.below.names {
		delete(t.nodes, key+"/"+name)
	}
}

// compare returns what to ask if a node, or the service itself, is at present as stat
// says; nil stands for one that is not there.
func (t *tree) compare(path string, stat *zk.Stat) (q question, differs bool) {
	q.path = path
	key := t.key(path)
	switch n := t.nodes[key]; {
	case key == "":
		q.children = (stat != nil) != t.there || stat != nil && stat.Pzxid != t.top.listed
	case n == nil:
	case stat == nil:
		q.data = true
	default:
		q.data = stat.Mzxid != n.written
		q.children = !strings.Contains(key, "/") && !n.ephemeral && stat.Pzxid != n.below.listed
	}
	return q, q.data || q.children
}

// paths returns all nodes, and the service itself.
func (t *tree) paths() []string {
	list := make([]string, 0, len(t.nodes)+1)
	list = append(list, t.service)
	for key := range t.nodes {
		list = append(list, t.pathOf(key))
	}
	return list
}

// entries returns what stands for an endpoint: no versions, and no node that is going
// to be one or has been.
func (t *tree) entries() map[string]registry.Entry {
	list := make(map[string]registry.Entry, len(t.nodes))
	for key, n := range t.nodes {
		top := !strings.Contains(key, "/")
		if top && (len(n.below.names) > 0 || n.empty && !n.ephemeral) {
			continue
		}
		list[key] = n.entry
	}
	return list
}
