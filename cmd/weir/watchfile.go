package main

import (
	"bytes"
	"context"
	"log/slog"
	"os"

	"github.com/weirproxy/weir/internal/filewatch"
)

// A watchedFile is the configuration file under --watch.
type watchedFile struct {
	path    string
	content []byte          // as it was looked at last
	changed <-chan struct{} // it may have; nil: nobody watches
	end     func()          // stops watching
}

// watchFile watches a file from now on.
func watchFile(path string, log *slog.Logger) *watchedFile {
	ctx, end := context.WithCancel(context.Background())
	w := &watchedFile{path: path, end: end, changed: filewatch.Watch(ctx, path, filewatch.Options{Log: log})}
	w.differs()
	return w
}

// differs reports whether the content is another than when it was asked last. A file
// that cannot be read, which may be about to be replaced, is as it was.
func (w *watchedFile) differs() bool {
	content, err := os.ReadFile(w.path)
	if err != nil || bytes.Equal(content, w.content) {
		return false
	}
	w.content = content
	return true
}
