package file

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/weirproxy/weir/endpoint"
)

// An edition is what the files said at one time: endpoints, or why there are none.
type edition struct {
	sum       [sha256.Size]byte // of the text that was parsed; zero if there was none
	endpoints []endpoint.Endpoint
	err       error
}

// A page is one file and what it says.
type page struct {
	name, text string
}

// unfinished says that a file was written while it was read.
type unfinished struct{ name string }

// Error implements error.
func (u unfinished) Error() string { return u.name + ": it is being written without an end" }

const (
	// A file that is being written is read again after a while, for as many times.
	pause = 100 * time.Millisecond
	tries = 20
)

// read reads the files. It parses only what is something else than before.
func (p *Provider) read(ctx context.Context, last edition) edition {
	pages, err := p.pages()
	for range tries {
		if !errors.As(err, new(unfinished)) {
			break
		}
		select {
		case <-time.After(pause):
			pages, err = p.pages()
		case <-ctx.Done():
			return last
		}
	}
	if err != nil {
		return edition{err: err}
	}
	sum := sumOf(pages)
	if sum == last.sum {
		return last
	}
	list, err := parse(pages)
	return edition{sum, list, err}
}

func sumOf(pages []page) (sum [sha256.Size]byte) {
	h := sha256.New()
	for _, p := range pages {
		fmt.Fprintf(h, "%d %d %s%s", len(p.name), len(p.text), p.name, p.text)
	}
	h.Sum(sum[:0])
	return sum
}

// pages reads the file, or those of the folder.
func (p *Provider) pages() ([]page, error) {
	info, err := os.Stat(p.o.Path)
	if err != nil {
		return nil, plain(err)
	}
	names := []string{p.o.Path}
	if info.IsDir() {
		if names, err = list(p.o.Path); err != nil {
			return nil, err
		}
	}
	left := MaxSize
	pages := make([]page, len(names))
	for i, name := range names {
		text, err := readFile(name, left)
		if err != nil {
			return nil, err
		}
		left -= len(text)
		pages[i] = page{name, text}
	}
	return pages, nil
}

// list returns the files of a folder that count, in the order of their names. That
// there is none is a mistake: nothing tells an empty folder from one that is not
// mounted.
func list(folder string) (names []string, err error) {
	all, err := os.ReadDir(folder)
	if err != nil {
		return nil, plain(err)
	}
	for _, e := range all {
		name := e.Name()
		switch filepath.Ext(name) {
		case ".yaml", ".yml", ".json":
		default:
			continue
		}
		if strings.HasPrefix(name, ".") || e.IsDir() {
			continue
		}
		if len(names) == MaxFiles {
			return nil, fmt.Errorf("%s: it has more than %d files", folder, MaxFiles)
		}
		names = append(names, filepath.Join(folder, name))
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s: it has no *.yaml, *.yml or *.json; if there are no endpoints, write a file with []", folder)
	}
	return names, nil
}

// readFile reads a file that nobody writes meanwhile.
func readFile(name string, most int) (string, error) {
	before, err := os.Stat(name)
	if err != nil {
		return "", plain(err)
	}
	// To open a pipe would wait for a writer.
	if !before.Mode().IsRegular() {
		return "", fmt.Errorf("%s: it is no file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return "", plain(err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, int64(most)+1))
	if err != nil {
		return "", plain(err)
	}
	if len(text) > most {
		return "", fmt.Errorf("%s: it is too large; at most %d MiB are read", name, MaxSize>>20)
	}
	after, err := os.Stat(name)
	if err != nil || !os.SameFile(before, after) || before.Size() != after.Size() || !before.ModTime().Equal(after.ModTime()) ||
		after.Size() != int64(len(text)) {
		return "", unfinished{name}
	}
	return string(text), nil
}

// plain says what is wrong with a file, without the name of the system call.
func plain(err error) error {
	if wrong := (*os.PathError)(nil); errors.As(err, &wrong) {
		return fmt.Errorf("%s: %w", wrong.Path, wrong.Err)
	}
	return err
}
