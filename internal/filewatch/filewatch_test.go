package filewatch

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// enough is how long a test waits for what is to happen.
const enough = 20 * time.Second

// never is an interval in which nothing is told but what the system notifies of.
const never = time.Hour

// watched watches a path until the test is over.
func watched(t *testing.T, path string, o Options) <-chan struct{} {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	changed := Watch(ctx, path, o)
	t.Cleanup(func() {
		cancel()
		for range changed { // until it has ended
		}
	})
	return changed
}

func wantTold(t *testing.T, changed <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-changed:
	case <-time.After(enough):
		t.Fatalf("it is not told that %s", what)
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

func TestWatch_TellsWhateverHappensToAFile(t *testing.T) {
	root := build(t, "d/", "d/f")
	file := root + "/d/f"
	changed := watched(t, file, Options{Every: never})
	write(t, file, "one")
	wantTold(t, changed, "the file was written")
	do(t, os.Truncate(file, 0))
	wantTold(t, changed, "the file was truncated")
	write(t, root+"/d/g", "two")
	do(t, os.Rename(root+"/d/g", file))
	wantTold(t, changed, "the file was replaced")
	write(t, file, "three")
	wantTold(t, changed, "the file that took its place was written")
	do(t, os.Remove(file))
	wantTold(t, changed, "the file was removed")
	write(t, file, "four")
	wantTold(t, changed, "the file was created again")
	do(t, os.Chmod(file, 0o640))
	wantTold(t, changed, "its rights have changed")
}

func TestWatch_FollowsFoldersThatComeAndGo(t *testing.T) {
	root := build(t)
	changed := watched(t, root+"/a/b/f", Options{Every: never})
	do(t, os.Mkdir(root+"/a", 0o755))
	wantTold(t, changed, "the first folder is there")
	do(t, os.Mkdir(root+"/a/b", 0o755))
	wantTold(t, changed, "the second folder is there")
	write(t, root+"/a/b/f", "one")
	wantTold(t, changed, "the file is there")
	do(t, os.RemoveAll(root+"/a"))
	wantTold(t, changed, "all is gone")
	do(t, os.MkdirAll(root+"/a/b", 0o755))
	write(t, root+"/a/b/f", "two")
	wantTold(t, changed, "all is there again")
}

func TestWatch_TellsOfFilesInAFolder(t *testing.T) {
	root := build(t, "d/", "d/f")
	changed := watched(t, root+"/d", Options{Every: never})
	write(t, root+"/d/g", "one")
	wantTold(t, changed, "there is another file")
	write(t, root+"/d/f", "two")
	wantTold(t, changed, "a file was written")
	do(t, os.Remove(root+"/d/f"))
	wantTold(t, changed, "a file was removed")
	do(t, os.Rename(root+"/d", root+"/e"))
	wantTold(t, changed, "the folder has gone")
	do(t, os.Mkdir(root+"/d", 0o755))
	wantTold(t, changed, "another folder has taken its place")
	write(t, root+"/d/f", "three")
	wantTold(t, changed, "a file in the other folder was written")
}

func TestWatch_TellsOfAConfigMap(t *testing.T) {
	root := build(t, "d/", "d/..1/", "d/..1/f", "d/..data -> ..1", "d/f -> ..data/f")
	changed := watched(t, root+"/d/f", Options{Every: never})
	for _, next := range []string{"..2", "..3"} {
		do(t, os.Mkdir(filepath.Join(root, "d", next), 0o755))
		write(t, filepath.Join(root, "d", next, "f"), next)
		do(t, os.Symlink(next, root+"/d/..data_tmp"))
		do(t, os.Rename(root+"/d/..data_tmp", root+"/d/..data"))
		wantTold(t, changed, "the link was turned to "+next)
	}
	write(t, root+"/d/..3/f", "more")
	wantTold(t, changed, "the file was written where the link leads now")
}

func TestWatch_IsNotConcernedWithOthers(t *testing.T) {
	root := build(t, "d/", "d/f", "d/..1/", "d/..1/g", "d/l -> ..1/g")
	for path, concern := range map[string]map[string]bool{
		"/d/f": {"/d/f": true, "/d": true, "/d/g": false, "/d/f~": false, "/d/..1/g": false, "/e": false},
		"/d/l": {"/d/l": true, "/d/..1/g": true, "/d/..1": true, "/d/f": false},
		"/d":   {"/d": true, "/d/f": true, "/d/new": true, "/e": false, "/d/..1/g": false},
	} {
		w := &watch{way: wayTo(root + path)}
		for name, want := range concern {
			if got := w.concerns(fsnotify.Event{Name: root + name, Op: fsnotify.Write}); got != want {
				t.Errorf("who watches %s is concerned with %s: %v", path, name, got)
			}
		}
	}
}

func TestWatch_TellsOfWhatChangedBeforeItReturned(t *testing.T) {
	root := build(t, "f")
	for range 20 {
		changed := watched(t, root+"/f", Options{Every: never, Quiet: time.Millisecond})
		write(t, root+"/f", "one")
		wantTold(t, changed, "a file was written right after Watch")
	}
}

func TestWatch_TellsNowAndThenInAnyCase(t *testing.T) {
	changed := watched(t, build(t, "f")+"/f", Options{Every: time.Millisecond})
	for range 3 {
		wantTold(t, changed, "time has passed")
	}
}

func TestWatch_NoticesThatAFolderAboveWasReplaced(t *testing.T) {
	root := build(t, "a/", "a/b/", "a/b/f", "x/", "x/b/", "x/b/f")
	w := &watch{path: root + "/a/b/f", log: slog.New(slog.DiscardHandler)}
	w.start()
	defer w.close()
	do(t, os.Rename(root+"/a", root+"/old"))
	do(t, os.Rename(root+"/x", root+"/a"))
	w.look() // of this nobody is notified; it is looked at now and then
	write(t, root+"/a/b/f", "one")
	select {
	case e := <-w.events():
		if !w.concerns(e) {
			t.Errorf("it is not concerned with %v", e)
		}
	case <-time.After(enough):
		t.Error("a file in the folder that took the place of another is not watched")
	}
}

func TestWatch_LooksMoreOftenWhereNothingIsNotified(t *testing.T) {
	var said bytes.Buffer
	w := &watch{path: "f", log: slog.New(slog.NewTextHandler(&said, nil))}
	for range 2 {
		w.blinded(errors.New("no space left on device"))
	}
	if got := w.interval(Options{Every: time.Minute}); got != blindly {
		t.Errorf("it looks every %v, want %v", got, blindly)
	}
	if n := strings.Count(said.String(), "no space left"); n != 1 {
		t.Errorf("it is logged %d times, want once:\n%s", n, &said)
	}
	if w.events() != nil || w.errors() != nil {
		t.Error("it waits for notifications that do not come")
	}
	w.look()
}

func TestWatch_EndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	changed := Watch(ctx, build(t, "f")+"/f", Options{})
	cancel()
	for {
		select {
		case _, more := <-changed:
			if !more {
				return
			}
		case <-time.After(enough):
			t.Fatal("the channel is not closed")
		}
	}
}
