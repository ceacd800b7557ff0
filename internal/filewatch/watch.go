package filewatch

import (
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/fsnotify/fsnotify"
)

// maxLooks bounds how often the way is walked again because it changed meanwhile.
const maxLooks = 10

// A watch keeps the system notifying of what lies on the way to a file.
type watch struct {
	path   string
	log    *slog.Logger
	notify *fsnotify.Watcher // nil if there is none to be had
	way    way
	// folders are those that are watched, and which ones they were then.
	folders map[string]fs.FileInfo
	blind   bool // something is not notified of
	said    string
}

// start watches what is there.
func (w *watch) start() {
	w.folders = map[string]fs.FileInfo{}
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		w.blinded(err)
		return
	}
	w.notify = notify
	w.look()
}

// look has the system notify of what lies on the way now.
func (w *watch) look() {
	if w.notify == nil {
		return
	}
	w.blind = false
	for range maxLooks {
		w.way = wayTo(w.path)
		w.forget()
		if !w.add() {
			return
		}
		// What changed before a folder was watched is seen by another look.
	}
}

// forget leaves folders that are not on the way any more.
func (w *watch) forget() {
	for folder := range w.folders {
		if !w.way.folders[folder] {
			_ = w.notify.Remove(folder) // it may be gone
			delete(w.folders, folder)
		}
	}
}

// add watches folders that are not yet; it reports whether there were some.
func (w *watch) add() (added bool) {
	watched := map[string]bool{}
	for _, folder := range w.notify.WatchList() {
		watched[folder] = true
	}
	for folder := range w.way.folders {
		now, err := os.Stat(folder)
		if err != nil {
			continue // it has just gone: the next look goes another way
		}
		if watched[folder] && os.SameFile(now, w.folders[folder]) {
			continue
		}
		// Another folder may have taken the place of one that is watched still.
		_ = w.notify.Remove(folder)
		if err := w.notify.Add(folder); err != nil {
			w.blinded(err)
			continue
		}
		w.folders[folder], added = now, true
	}
	return added
}

// blinded notes that the system does not notify of everything, and logs why, once.
func (w *watch) blinded(err error) {
	w.blind = true
	if w.said != err.Error() {
		w.said = err.Error()
		w.log.Warn("the file system does not notify of changes; files are looked at every few seconds", "path", w.path, "error", err)
	}
}

// concerns reports whether an event may be about the file, or one in the folder.
func (w *watch) concerns(e fsnotify.Event) bool {
	return w.way.names[e.Name] || w.way.folders[e.Name] || w.way.inside != "" && filepath.Dir(e.Name) == w.way.inside
}

func (w *watch) close() {
	if w.notify != nil {
		_ = w.notify.Close()
	}
}
