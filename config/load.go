package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Options are what Parse needs from its surroundings.
type Options struct {
	// Env looks up ${NAME}. If nil, os.LookupEnv.
	Env func(name string) (value string, ok bool)
	// ReadFile reads ${file:PATH}; a relative path has been joined to the folder
	// of the configuration file already. If nil, the file is read, up to 1 MiB.
	ReadFile func(path string) ([]byte, error)
}

// Load reads the file at path, as Parse does, with the process's environment.
func Load(path string) (cfg *Config, warnings Problems, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read configuration: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read configuration: %w", err)
	}
	return Parse(path, data, Options{})
}

// Parse reads a configuration from data; name is the file's name, for messages
// and as the place that the paths of files, and ${file:PATH}, are relative to. The Config comes with its
// defaults filled in. The error, if any, is a [Problems], and the Config is nil
// then; warnings tell what is legal and unwise, and come only without an error.
// Data is not kept.
func Parse(name string, data []byte, opts Options) (cfg *Config, warnings Problems, err error) {
	if len(data) > maxFileBytes {
		return nil, nil, Problems{{File: name, Message: fmt.Sprintf("the file is larger than %v", Size(maxFileBytes))}}
	}
	src := newSource(name, data)
	if p, ok := src.invalidText(); ok {
		return nil, nil, Problems{p}
	}
	root, problem := parseSyntax(src)
	if problem != nil {
		return nil, nil, Problems{*problem}
	}
	d := newDecoder(src, newExpander(name, opts))
	written := new(Config)
	if root != nil {
		d.document(root, written)
	}
	d.coverSecrets()
	if d.exhausted() {
		return nil, nil, d.problems.sorted()
	}
	cfg = written.WithDefaults()
	problems := append(d.problems, d.locate(cfg.validate(d.failed))...)
	if len(problems) > 0 {
		return nil, nil, problems.sorted()
	}
	cfg.origin = &origin{src, d.places}
	warnings = d.locate(cfg.warn()).sorted()
	cfg.resolveFiles(filepath.Dir(name))
	return cfg, warnings, nil
}

// coverSecrets covers secrets in the lines of the file, and in those that
// problems have quoted already.
func (d *decoder) coverSecrets() {
	d.src.cover()
	for i := range d.problems {
		if p := &d.problems[i]; p.SourceLine != "" {
			p.SourceLine = d.src.lines[p.Line-1]
		}
	}
}

// locate gives findings their place in the file. What a default says wrong of
// a value that was never written is shown at what stands around it.
func (d *decoder) locate(found []finding) Problems {
	var problems Problems
	for _, f := range found {
		problems = append(problems, d.src.problem(d.places.find(f.path, f.atKey), f.path, f.message))
	}
	return problems
}
