package file

import (
	"cmp"
	"log/slog"
	"time"

	"github.com/weirproxy/weir/provider"
	"github.com/weirproxy/weir/provider/internal/registry"
)

// The bounds of what is read.
const (
	// MaxSize is the greatest size of a file, or of all files of a folder
	// together, in bytes.
	MaxSize = 16 << 20
	// MaxEndpoints is how many endpoints a service has at most.
	MaxEndpoints = registry.MaxEndpoints
	// MaxFiles is how many files of a folder are read.
	MaxFiles = 10_000
)

const defaultResync = 30 * time.Second

// A Problem is an option that is wrong.
type Problem = provider.Problem

// Options say where the endpoints of a service are written.
type Options struct {
	// Path is a file, or a folder with files. It must be set; that it is not there
	// yet is told while it is watched.
	Path string
	// Resync is how often the files are read in any case, for changes that the
	// file system does not notify of; 0 is 30 s.
	Resync time.Duration
	// Log is told when the file system does not notify. If nil, nobody is.
	Log *slog.Logger
}

// withDefaults fills in what was left out, and tells what is wrong.
func (o Options) withDefaults() (Options, error) {
	var wrong registry.Problems
	o.Resync = cmp.Or(o.Resync, defaultResync)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	switch {
	case o.Path == "":
		wrong.Add("path", "is missing")
	case !registry.IsPlain(o.Path):
		wrong.Add("path", "%q has control characters", o.Path)
	}
	if o.Resync < 0 {
		wrong.Add("resync", "%v is negative", o.Resync)
	}
	return o, wrong.Err()
}
