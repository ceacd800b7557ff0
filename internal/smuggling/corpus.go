package smuggling

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"golang.org/x/tools/txtar"
)

//go:embed testdata
var testdata embed.FS

// responses is the folder of the other corpus.
const responses = "testdata/response"

// A Mode is a way of sending a case.
type Mode string

// The modes; see the package's doc.
const (
	Whole     Mode = "whole"
	Drip      Mode = "drip"
	HalfClose Mode = "halfclose"
)

// Modes are all of them.
var Modes = []Mode{Whole, Drip, HalfClose}

// A Case is one file of the request corpus.
type Case struct {
	// Name is its path without suffix, "h1/cl-te".
	Name string
	// Reason says what is wrong with the message.
	Reason string
	// Steps are the bytes, sent one after the other: each but the first when
	// one more answer has arrived.
	Steps [][]byte
	// Want is what is to happen to the messages, in order.
	Want []Expected
	// Closed: the connection ends with the last answer.
	Closed bool

	modes []Mode
}

// Bytes are all the bytes of c.
func (c *Case) Bytes() []byte { return slices.Concat(c.Steps...) }

// In reports whether the case is to be sent in that mode.
func (c *Case) In(m Mode) bool { return slices.Contains(c.modes, m) }

// Switches reports whether the case switches protocols.
func (c *Case) Switches() bool {
	return len(c.Want) > 0 && c.Want[len(c.Want)-1].Verdict == Tunneled
}

// Cases returns the request corpus.
func Cases() ([]*Case, error) {
	return load(func(name string) bool { return !strings.HasPrefix(name, responses) }, parseCase)
}

// load parses the files of testdata whose name is accepted.
func load[T any](accept func(name string) bool, parse func(name string, a *txtar.Archive) (T, error)) ([]T, error) {
	var list []T
	err := fs.WalkDir(testdata, "testdata", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !accept(name) {
			return err
		}
		text, err := testdata.ReadFile(name)
		if err != nil {
			return err
		}
		short := strings.TrimSuffix(strings.TrimPrefix(name, "testdata/"), path.Ext(name))
		one, err := parse(short, txtar.Parse(text))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		list = append(list, one)
		return nil
	})
	return list, err
}

func parseCase(name string, a *txtar.Archive) (*Case, error) {
	c := &Case{Name: name, Reason: strings.TrimSpace(string(a.Comment)), modes: Modes}
	for _, f := range a.Files {
		switch f.Name {
		case "expect":
			if err := c.expect(string(f.Data)); err != nil {
				return nil, err
			}
		case "request", "after":
			step, err := decode(f.Data)
			if err != nil {
				return nil, err
			}
			c.Steps = append(c.Steps, step)
		default:
			return nil, fmt.Errorf("unknown section %q", f.Name)
		}
	}
	if c.Reason == "" || len(c.Steps) == 0 || len(c.Want) == 0 {
		return nil, fmt.Errorf("reason, expect or request is missing")
	}
	return c, nil
}
