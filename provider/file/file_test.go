package file

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/weirproxy/weir/provider"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// enough is how long a test waits for what is to happen.
const enough = 20 * time.Second

// A listener hears what a provider tells.
type listener struct {
	t       *testing.T
	updates chan provider.Update
}

// listen watches a path until the test is over.
func listen(t *testing.T, o Options) listener {
	t.Helper()
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	l := listener{t, make(chan provider.Update, 100)}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- p.Watch(ctx, func(u provider.Update) { l.updates <- u }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Watch: %v", err)
		}
	})
	return l
}

func (l listener) next() provider.Update {
	l.t.Helper()
	select {
	case u := <-l.updates:
		return u
	case <-time.After(enough):
		l.t.Fatal("nothing is told")
		panic("unreachable")
	}
}

// has expects endpoints to be told next. Between truncating a file and writing it, a busy
// machine may take long enough for it to be seen empty.
func (l listener) has(want string) {
	l.t.Helper()
	u := l.next()
	for u.Err != nil && strings.Contains(u.Err.Error(), "it is empty") {
		u = l.next()
	}
	if got := short(u.Endpoints); u.Err != nil || got != want {
		l.t.Fatalf("told %q, error %v; want %q", got, u.Err, want)
	}
}

// fails expects an error to be told next.
func (l listener) fails(want string) {
	l.t.Helper()
	u := l.next()
	if u.Err == nil || !strings.Contains(u.Err.Error(), want) {
		l.t.Fatalf("told %q, error %v; want an error with %q", short(u.Endpoints), u.Err, want)
	}
}

func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	do(t, os.WriteFile(path, []byte(text), 0o600))
}

// replace puts a file in the place of another, as editors do.
func replace(t *testing.T, path, text string) {
	t.Helper()
	write(t, path+"~", text)
	do(t, os.Rename(path+"~", path))
}

func TestNew_PlacesEveryMistake(t *testing.T) {
	for name, tc := range map[string]struct {
		o    Options
		want []string
	}{
		"nothing":     {Options{}, []string{"path"}},
		"control":     {Options{Path: "a\x00"}, []string{"path"}},
		"resync":      {Options{Path: "a", Resync: -1}, []string{"resync"}},
		"all is well": {Options{Path: "not/there"}, nil},
	} {
		_, err := New(tc.o)
		var got []string
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			for _, one := range joined.Unwrap() {
				var p *Problem
				if errors.As(one, &p) {
					got = append(got, p.Option)
				}
			}
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: wrong are %v, want %v: %v", name, got, tc.want, err)
		}
	}
}

func TestProvider_FollowsAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "e.yaml")
	write(t, file, "- http://a\n")
	l := listen(t, Options{Path: file})
	l.has("http://a")
	replace(t, file, "- http://a\n- http://b\n")
	l.has("http://a http://b")
	replace(t, file, "# the same\n- http://a\n- http://b\n")
	write(t, file, "- http://c\n") // truncated, and written again
	l.has("http://c")
	replace(t, file, "[]")
	l.has("")
	replace(t, file, "- http://b\n- http://a\n")
	l.has("http://b http://a")
}

func TestProvider_KeepsWhatItToldWhileAFileIsWrong(t *testing.T) {
	file := filepath.Join(t.TempDir(), "e.yaml")
	write(t, file, "- http://a\n")
	l := listen(t, Options{Path: file})
	l.has("http://a")
	replace(t, file, "- http://a\n- nonsense\n")
	l.fails(file + ":2:3: \"nonsense\" is not the URL of an endpoint")
	replace(t, file, "- http://b\n")
	l.has("http://b")
	do(t, os.Truncate(file, 0))
	l.fails(file + ":1:1: it is empty")
	write(t, file, "- http://b\n")
	l.has("http://b") // that is how it is told that it is over
}

func TestProvider_KeepsWhatItToldWhileAFileIsGone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "e.yaml")
	write(t, file, "- http://a\n")
	l := listen(t, Options{Path: file})
	l.has("http://a")
	do(t, os.Remove(file))
	l.fails(file + ": no such file or directory")
	write(t, file, "- http://a\n")
	l.has("http://a")
}

func TestProvider_WaitsForAFileThatIsNotThereYet(t *testing.T) {
	root := t.TempDir()
	file := filepath.Join(root, "not", "yet", "e.json")
	l := listen(t, Options{Path: file})
	l.fails("no such file or directory")
	do(t, os.MkdirAll(filepath.Dir(file), 0o755))
	write(t, file, `["http://a"]`)
	l.has("http://a")
}

func TestProvider_FollowsAFolder(t *testing.T) {
	root := t.TempDir()
	l := listen(t, Options{Path: root})
	l.fails("has no *.yaml")
	write(t, filepath.Join(root, "b.yaml"), "- http://b\n")
	l.has("http://b")
	for _, other := range []string{".hidden.yaml", "c.txt", "d.yaml~", "e"} {
		write(t, filepath.Join(root, other), "- http://other\n")
	}
	do(t, os.Mkdir(filepath.Join(root, "f.yaml"), 0o755))
	write(t, filepath.Join(root, "a.json"), `["http://a"]`)
	l.has("http://a http://b")
	replace(t, filepath.Join(root, "c.yml"), "- http://c\n- {}\n")
	l.fails(filepath.Join(root, "c.yml") + ":2:3: it has no url")
	replace(t, filepath.Join(root, "c.yml"), "- http://c\n")
	l.has("http://a http://b http://c")
	do(t, os.Remove(filepath.Join(root, "b.yaml")))
	l.has("http://a http://c")
}

func TestProvider_FollowsAConfigMap(t *testing.T) {
	root := t.TempDir()
	turn := func(to, text string) {
		t.Helper()
		do(t, os.Mkdir(filepath.Join(root, to), 0o755))
		write(t, filepath.Join(root, to, "e.yaml"), text)
		do(t, os.Symlink(to, filepath.Join(root, "..data_tmp")))
		do(t, os.Rename(filepath.Join(root, "..data_tmp"), filepath.Join(root, "..data")))
	}
	turn("..1", "- http://a\n")
	do(t, os.Symlink("..data/e.yaml", filepath.Join(root, "e.yaml")))
	file := listen(t, Options{Path: filepath.Join(root, "e.yaml")})
	folder := listen(t, Options{Path: root})
	file.has("http://a")
	folder.has("http://a")
	turn("..2", "- http://b\n")
	do(t, os.RemoveAll(filepath.Join(root, "..1")))
	file.has("http://b")
	folder.has("http://b")
}

func TestProvider_ReadsNowAndThenInAnyCase(t *testing.T) {
	// What a link in a folder leads to is not watched.
	root, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "e")
	write(t, elsewhere, "- http://a\n")
	do(t, os.Symlink(elsewhere, filepath.Join(root, "e.yaml")))
	l := listen(t, Options{Path: root, Resync: 50 * time.Millisecond})
	l.has("http://a")
	replace(t, elsewhere, "- http://b\n")
	l.has("http://b")
}

func TestProvider_ReadsNothingButFiles(t *testing.T) {
	root := t.TempDir()
	do(t, os.Symlink("/dev/zero", filepath.Join(root, "zero.yaml")))
	listen(t, Options{Path: filepath.Join(root, "zero.yaml")}).fails("it is no file")
	large := filepath.Join(root, "large.yaml")
	write(t, large, "")
	do(t, os.Truncate(large, MaxSize+1))
	listen(t, Options{Path: large}).fails("it is too large; at most 16 MiB")
}

func TestProvider_ParsesOnlyWhatHasChanged(t *testing.T) {
	file := filepath.Join(t.TempDir(), "e.yaml")
	write(t, file, "- http://a\n")
	p, err := New(Options{Path: file})
	do(t, err)
	first := p.read(t.Context(), edition{})
	second := p.read(t.Context(), first)
	if first.err != nil || len(second.endpoints) != 1 || &first.endpoints[0] != &second.endpoints[0] {
		t.Errorf("a file that is as it was is parsed again: %+v, %+v", first, second)
	}
}
