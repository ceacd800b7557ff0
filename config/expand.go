package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

const (
	// maxExpandedFile bounds what ${file:PATH} reads: secrets are short.
	maxExpandedFile = 1 << 20
	// maxExpanded bounds what all references of a file may grow to together, so
	// that an alias repeated many times cannot fill the memory.
	maxExpanded = 64 << 20
)

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// expander replaces ${NAME}, ${NAME:-default} and ${file:PATH} in a string. The
// outcome is text: it is neither YAML nor expanded again.
type expander struct {
	env      func(string) (string, bool)
	readFile func(string) ([]byte, error)
	folder   string
	grown    int
	files    map[string]string // read once, however often named
}

// reference is an error about one reference; it carries its text so that it can
// be found in the line.
type referenceError struct {
	text    string
	message string
}

func (e *referenceError) Error() string { return e.text + ": " + e.message }

func newExpander(file string, opts Options) *expander {
	x := &expander{env: opts.Env, readFile: opts.ReadFile, folder: filepath.Dir(file), files: map[string]string{}}
	if x.env == nil {
		x.env = os.LookupEnv
	}
	if x.readFile == nil {
		x.readFile = readSmallFile
	}
	return x
}

// expand returns s with its references replaced. $${ stands for a plain ${, and
// a $ before anything else is a $.
func (x *expander) expand(s string) (string, error) {
	if !strings.Contains(s, "${") {
		return s, nil
	}
	var b strings.Builder
	for {
		i := strings.Index(s, "${")
		if i < 0 {
			b.WriteString(s)
			break
		}
		if i > 0 && s[i-1] == '$' {
			b.WriteString(s[:i-1] + "${")
			s = s[i+2:]
			continue
		}
		b.WriteString(s[:i])
		end := strings.IndexByte(s[i:], '}')
		if end < 0 {
			return "", &referenceError{s[i:], "has no closing }; write $${ for a plain ${"}
		}
		value, err := x.lookUp(s[i+2 : i+end])
		if err != nil {
			return "", err
		}
		if x.grown += len(value); x.grown > maxExpanded {
			return "", &referenceError{s[i : i+end+1], fmt.Sprintf("all references together give more than %v", Size(maxExpanded))}
		}
		b.WriteString(value)
		s = s[i+end+1:]
	}
	return b.String(), nil
}

// lookUp gives what stands for the inside of ${…}.
func (x *expander) lookUp(inside string) (string, error) {
	text := "${" + inside + "}"
	path, isFile := strings.CutPrefix(inside, "file:")
	if isFile && !strings.HasPrefix(path, "-") {
		return x.fileText(text, path)
	}
	name, def, hasDefault := strings.Cut(inside, ":-")
	if !variableName.MatchString(name) {
		return "", &referenceError{text, "is not a reference; write ${NAME}, ${NAME:-default} or ${file:PATH}, and $${ for a plain ${"}
	}
	value, ok := x.env(name)
	if hasDefault && value == "" {
		return def, nil
	}
	if !ok {
		return "", &referenceError{text, "the environment variable " + name + " is not set; give it a default as in ${" + name + ":-…}"}
	}
	return value, nil
}

func (x *expander) fileText(text, path string) (string, error) {
	if path == "" {
		return "", &referenceError{text, "names no file"}
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(x.folder, path)
	}
	if s, ok := x.files[path]; ok {
		return s, nil
	}
	data, err := x.readFile(path)
	if err != nil {
		return "", &referenceError{text, err.Error()}
	}
	s := strings.TrimSuffix(string(data), "\n")
	s = strings.TrimSuffix(s, "\r")
	x.files[path] = s
	return s, nil
}

func readSmallFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxExpandedFile+1))
	if err == nil && len(data) > maxExpandedFile {
		err = fmt.Errorf("%s is larger than %v", path, Size(maxExpandedFile))
	}
	return data, err
}
