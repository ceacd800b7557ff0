package proxytest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLoad_NamesFileAndLineOfWhatItCannotRead(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"a line that is none":    {"# about\n-- config --\nx: 1\n-- script --\na: up\nnonsense\n", "bad.txtar:6: want `actor: verb …`, got \"nonsense\""},
		"a block without a line": {"-- script --\n\tGET /\n", "bad.txtar:2: a block without a line"},
		"a comment without #":    {"about\n-- script --\na: up\n", "\"about\" is neither a comment"},
		"an unknown restriction": {"only sometimes\n-- script --\na: up\n", "\"only sometimes\" is neither"},
		"an unknown section":     {"-- scrip --\na: up\n", "there is no section called scrip"},
		"no script":              {"-- config --\n", "there is no script"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "bad.txtar")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := load(file); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("load says %v, want %q", err, c.want)
			}
		})
	}
}

func TestDo_RefusesWhatItDoesNotKnow(t *testing.T) {
	e := &end{}
	for _, s := range []statement{
		{verb: "sned"},
		{verb: "repeat", args: "often"},
		{verb: "dribble", args: "slowly"},
		{verb: "flood", args: "everything"},
		{verb: "send", args: `"open`},
	} {
		if s.verb == "send" {
			if _, err := s.bytes(); err == nil {
				t.Errorf("%s was not refused", s.String())
			}
			continue
		}
		if err := e.do(&s); err == nil {
			t.Errorf("%s was not refused", s.String())
		}
	}
	if err := e.want(&statement{verb: "want", args: "everything"}); err == nil {
		t.Error("a want of nothing that there is was not refused")
	}
}

func TestMatchFields(t *testing.T) {
	got := []field{{"Host", "a"}, {"X-A", "1"}, {"X-B", "2"}, {"X-A", "3"}}
	for name, c := range map[string]struct {
		want  string
		whole bool
		err   string
	}{
		"some, in order":         {want: "Host: a\nX-A: 3"},
		"any value":              {want: "X-B: *"},
		"absent":                 {want: "! X-C"},
		"all":                    {want: "Host: a\nX-A: 1\nX-B: 2\nX-A: 3", whole: true},
		"another case":           {want: "x-b: 2", err: "there is no field"},
		"out of order":           {want: "X-B: 2\nX-A: 1", err: "after \"X-B\""},
		"present, unwanted":      {want: "! x-b", err: "should not be there"},
		"one more":               {want: "Host: a\nX-A: 1\nX-B: 2", whole: true, err: "\"X-A\": \"3\" that is not wanted"},
		"one more in the middle": {want: "Host: a\nX-B: 2\nX-A: 3", whole: true, err: "\"X-A\": \"1\" that is not wanted"},
	} {
		t.Run(name, func(t *testing.T) {
			err := matchFields(got, strings.Split(c.want, "\n"), c.whole)
			switch {
			case c.err == "" && err != nil:
				t.Errorf("got %v, want a match", err)
			case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
				t.Errorf("got %v, want %q", err, c.err)
			}
		})
	}
}
