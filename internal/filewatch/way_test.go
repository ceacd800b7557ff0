package filewatch

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// build makes a tree: "a/" is a folder, "a -> b" a link, all else a file. It returns the
// folder, whose own way has no links.
func build(t *testing.T, what ...string) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range what {
		name, target, link := strings.Cut(w, " -> ")
		path := filepath.Join(root, name)
		switch {
		case link:
			err = os.Symlink(strings.ReplaceAll(target, "ROOT", root), path)
		case strings.HasSuffix(name, "/"):
			err = os.Mkdir(path, 0o755)
		default:
			err = os.WriteFile(path, nil, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// below lists paths without the folder that they stand in.
func below(root string, set map[string]bool) string {
	var list []string
	for path := range set {
		list = append(list, strings.TrimPrefix(strings.TrimPrefix(path, root), "/"))
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func TestWay_GoesWhereTheSystemGoes(t *testing.T) {
	for name, tc := range map[string]struct {
		tree                         []string
		path, names, folders, inside string
	}{
		"a file":             {[]string{"d/", "d/f"}, "d/f", "d/f", "d", ""},
		"a folder":           {[]string{"d/"}, "d", "d", " d", "d"},
		"with dots":          {[]string{"d/", "e/", "d/f"}, "e/.././d//f", "d/f", "d", ""},
		"no file":            {[]string{"d/"}, "d/f", "d/f", "d", ""},
		"no folder":          {nil, "d/e/f", "d", "", ""},
		"a link":             {[]string{"d/", "e/", "e/f", "d/l -> ../e/f"}, "d/l", "d/l e/f", "d e", ""},
		"an absolute link":   {[]string{"d/", "e/", "e/f", "d/l -> ROOT/e/f"}, "d/l", "d/l e/f", "d e", ""},
		"a link to nothing":  {[]string{"d/", "d/l -> ../e"}, "d/l", "d/l e", " d", ""},
		"links as ConfigMap": {[]string{"d/", "d/..1/", "d/..1/f", "d/..data -> ..1", "d/f -> ..data/f"}, "d/f", "d/..1/f d/..data d/f", "d d/..1", ""},
		"a link to a folder": {[]string{"d/", "d/e/", "l -> d/e"}, "l", "d/e l", " d d/e", "d/e"},
		"below a link":       {[]string{"d/", "d/f", "l -> d"}, "l/f", "d/f l", " d", ""},
		"up from a link":     {[]string{"d/", "d/e/", "d/f", "l -> d/e"}, "l/../f", "d/f l", " d", ""},
		"a circle":           {[]string{"a -> b", "b -> a"}, "a", "a b", "", ""},
	} {
		root := build(t, tc.tree...)
		w := wayTo(root + "/" + tc.path)
		got := []string{below(root, w.names), below(root, w.folders), strings.TrimPrefix(strings.TrimPrefix(w.inside, root), "/")}
		if want := []string{tc.names, tc.folders, tc.inside}; !slices.Equal(got, want) {
			t.Errorf("%s: names, folders and the folder inside are %q, want %q", name, got, want)
		}
	}
}

func TestWay_BeginsAtTheFolderOfTheProcess(t *testing.T) {
	root := build(t, "f")
	t.Chdir(root)
	if w := wayTo("f"); !maps.Equal(w.names, map[string]bool{root + "/f": true}) {
		t.Errorf("a path that is relative leads to %v", w.names)
	}
}
