package zookeeper

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-zookeeper/zk"
)

// asked writes questions as path:data, path:children or path:both, sorted.
func asked(list []question) string {
	var words []string
	for _, q := range list {
		what := map[[2]bool]string{{true, true}: "both", {true, false}: "data", {false, true}: "children"}[[2]bool{q.data, q.children}]
		words = append(words, strings.TrimPrefix(q.path, "/weir/web")+":"+what)
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

func wantAsked(t *testing.T, list []question, want string) {
	t.Helper()
	if got := asked(list); got != want {
		t.Errorf("asks %q, want %q", got, want)
	}
}

// listing is an answer about the children of a node.
func listing(key string, at int64, names ...string) answer {
	return answer{question: question{path: "/weir/web" + key, children: true}, names: names, listed: at}
}

// contentOf is an answer about the data of a node that may have children.
func contentOf(key, value string, names ...string) answer {
	return answer{question: question{path: "/weir/web" + key, data: true, children: !strings.Contains(key[1:], "/")}, value: []byte(value), written: 1, names: names, listed: 1}
}

func (t *tree) keys() string {
	return strings.Join(slices.Sorted(maps.Keys(t.entries())), " ")
}

func wantKeys(t *testing.T, tr *tree, want string) {
	t.Helper()
	if got := tr.keys(); got != want {
		t.Errorf("the entries are %q, want %q", got, want)
	}
}

// grown is a tree with a, v1/b and v1/c.
func grown(t *testing.T) *tree {
	t.Helper()
	tr := newTree("/weir/web")
	wantAsked(t, tr.take(listing("", 1, "v1", "a")), "/a:both /v1:both")
	wantAsked(t, tr.take(contentOf("/a", "http://a")), "")
	wantAsked(t, tr.take(contentOf("/v1", "", "b", "c")), "/v1/b:data /v1/c:data")
	wantAsked(t, tr.take(contentOf("/v1/b", "http://b")), "")
	wantAsked(t, tr.take(contentOf("/v1/c", "http://c")), "")
	wantKeys(t, tr, "a v1/b v1/c")
	return tr
}

func TestTree_AsksForWhatIsNewAndForgetsWhatIsGone(t *testing.T) {
	tr := grown(t)
	wantAsked(t, tr.take(listing("/v1", 2, "c", "d")), "/v1/d:data")
	wantAsked(t, tr.take(answer{question: question{path: "/weir/web/v1/d", data: true}, gone: true}), "")
	wantKeys(t, tr, "a v1/c")
	// It was gone for a moment: it is in the list still, or again.
	wantAsked(t, tr.take(listing("/v1", 3, "c", "d")), "/v1/d:data")
	wantAsked(t, tr.take(listing("", 2, "a")), "")
	wantKeys(t, tr, "a")
	wantAsked(t, tr.take(contentOf("/v1/d", "http://d")), "") // late, and too late
	wantKeys(t, tr, "a")
	wantAsked(t, tr.take(listing("", 3, "a", "v1")), "/v1:both")
	wantAsked(t, tr.take(answer{question: question{path: "/weir/web", children: true}, gone: true}), "")
	wantKeys(t, tr, "")
}

func TestTree_TakesNodesWithChildrenForVersions(t *testing.T) {
	tr := newTree("/weir/web")
	tr.take(listing("", 1, "x"))
	tr.take(contentOf("/x", ""))
	wantKeys(t, tr, "") // it is going to be a version
	wantAsked(t, tr.take(listing("/x", 2, "a")), "/x/a:data")
	tr.take(contentOf("/x/a", "http://a"))
	wantKeys(t, tr, "x/a")
	tr.take(listing("/x", 3))
	wantKeys(t, tr, "")
	tr.take(answer{question: question{path: "/weir/web/x", data: true}, value: []byte("http://x"), written: 2})
	wantKeys(t, tr, "x")
	wantAsked(t, tr.take(listing("/x", 4, "a")), "/x/a:data")
	wantKeys(t, tr, "x/a")
}

func TestTree_TakesAnEphemeralNodeWithoutDataForAMistake(t *testing.T) {
	tr := newTree("/weir/web")
	tr.take(listing("", 1, "x"))
	a := contentOf("/x", "")
	a.ephemeral = true
	tr.take(a)
	if e, ok := tr.entries()["x"]; !ok || e.Wrong == nil {
		t.Errorf("the entries are %v, want x, wrong", tr.entries())
	}
}

func TestTree_LeavesOutWhatMayNotBeRead(t *testing.T) {
	tr := grown(t)
	tr.take(answer{question: question{path: "/weir/web/v1/b", data: true}, forbidden: errors.New("secret")})
	if e := tr.entries()["v1/b"]; e.Wrong == nil {
		t.Error("a node that may not be read is an endpoint still")
	}
	tr.take(contentOf("/v1/b", "http://b"))
	if e := tr.entries()["v1/b"]; e.Wrong != nil {
		t.Errorf("a node that may be read again is wrong: %v", e.Wrong)
	}
}

func TestTree_IsBounded(t *testing.T) {
	names := make([]string, MaxEndpoints+1)
	for i := range names {
		names[i] = fmt.Sprintf("e%06d", i)
	}
	tr := newTree("/weir/web")
	if n := len(tr.take(listing("", 1, names...))); n != MaxEndpoints || !tr.crowded {
		t.Errorf("of %d nodes it asks for %d, crowded %v", len(names), n, tr.crowded)
	}
	// Room is made, and found at the next look.
	tr.crowded = false
	wantAsked(t, tr.take(listing("", 2, names[1:]...)), "/e100000:both")
	if tr.crowded {
		t.Error("there is room for all, and it says there is not")
	}
}

func TestTree_ComparesWhatItHasWithWhatThereIs(t *testing.T) {
	tr := grown(t)
	stat := func(written, listed int64) *zk.Stat { return &zk.Stat{Mzxid: written, Pzxid: listed} }
	for _, tc := range []struct {
		key  string
		stat *zk.Stat
		want string
	}{
		{"", stat(9, 1), ""},
		{"", stat(9, 2), ":children"},
		{"", nil, ":children"},
		{"/a", stat(1, 1), ""},
		{"/a", stat(2, 1), "/a:data"},
		{"/a", stat(1, 2), "/a:children"},
		{"/a", stat(2, 2), "/a:both"},
		{"/a", nil, "/a:data"},
		{"/v1/b", stat(1, 9), ""},
		{"/v1/b", stat(2, 9), "/v1/b:data"},
		{"/v1/gone", stat(1, 1), ""},
	} {
		q, differs := tr.compare("/weir/web"+tc.key, tc.stat)
		got := ""
		if differs {
			got = asked([]question{q})
		}
		if got != tc.want {
			t.Errorf("%q at %v: asks %q, want %q", tc.key, tc.stat, got, tc.want)
		}
	}
	empty := newTree("/weir/web")
	empty.take(answer{question: empty.first(), gone: true})
	if _, differs := empty.compare("/weir/web", nil); differs {
		t.Error("a service that is not there differs from one that is not there")
	}
}

func TestUnite_AsksOnceForEachNode(t *testing.T) {
	list := unite(map[question]bool{
		{path: "/weir/web/a", data: true}: true, {path: "/weir/web/a", children: true}: true, {path: "/weir/web/b", data: true}: true,
	})
	wantAsked(t, list, "/a:both /b:data")
}
