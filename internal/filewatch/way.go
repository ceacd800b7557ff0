package filewatch

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxLinks is how many symbolic links are followed, as the system does.
const maxLinks = 40

// A way is what leads to a file, link by link.
type way struct {
	// names are the links and the file itself, or the first that is missing.
	names map[string]bool
	// folders are those in which the names stand.
	folders map[string]bool
	// inside is the folder that the path leads to; empty if it is none.
	inside string
}

// wayTo walks to a file as the system would. Lexical cleaning is no way to do that:
// a/.. is not always where a stands.
func wayTo(path string) way {
	w := way{names: map[string]bool{}, folders: map[string]bool{}}
	here, rest := begin(path)
	for links := 0; len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		switch name {
		case "", ".":
			continue
		case "..":
			here = filepath.Dir(here)
			continue
		}
		next := filepath.Join(here, name)
		info, err := os.Lstat(next)
		link := err == nil && info.Mode()&fs.ModeSymlink != 0
		if err != nil || link || len(rest) == 0 {
			w.names[next], w.folders[here] = true, true
		}
		if err != nil {
			return w
		}
		if !link {
			here = next
			continue
		}
		target, err := os.Readlink(next)
		if links++; err != nil || links > maxLinks {
			return w
		}
		if filepath.IsAbs(target) {
			var more []string
			here, more = begin(target)
			rest = append(more, rest...)
			continue
		}
		rest = append(parts(target), rest...)
	}
	if info, err := os.Stat(here); err == nil && info.IsDir() {
		w.inside, w.folders[here] = here, true
	}
	return w
}

// begin returns the root, and what comes after it.
func begin(path string) (root string, rest []string) {
	if !filepath.IsAbs(path) {
		if folder, err := os.Getwd(); err == nil {
			path = folder + string(filepath.Separator) + path
		}
	}
	volume := filepath.VolumeName(path)
	return volume + string(filepath.Separator), parts(path[len(volume):])
}

func parts(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r < 0x80 && os.IsPathSeparator(uint8(r)) })
}
