package config

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml/ast"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

const schemaFile = "../docs/weir.schema.json"

func editorSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// editorSees returns what an editor makes of a file: maps, lists and scalars, with
// aliases and merges in their places, and references as they are written. ok is
// false if the file cannot be read that far.
func editorSees(name string, data []byte) (value any, ok bool) {
	src := newSource(name, data)
	root, problem := parseSyntax(src)
	if problem != nil {
		return nil, false
	}
	d := newDecoder(src, nil)
	if root != nil {
		ast.Walk(d.anchors, root)
		value = d.plain(root)
	}
	return value, len(d.problems) == 0
}

func (d *decoder) plain(n ast.Node) any {
	n = d.resolve(n, "")
	if n == nil || isNull(n) || d.depth > maxNesting || !d.spend(place{}, "") {
		return nil
	}
	d.depth++
	defer func() { d.depth-- }()
	if isMapping(n) {
		m := map[string]any{}
		for _, e := range d.entries(n, "") {
			m[e.name] = d.plain(e.value)
		}
		return m
	}
	if list, ok := n.(*ast.SequenceNode); ok {
		values := make([]any, len(list.Values))
		for i, item := range list.Values {
			values[i] = d.plain(item)
		}
		return values
	}
	return plainScalar(n)
}

func plainScalar(n ast.Node) any {
	text, _ := scalarText(n)
	switch n.(type) {
	case *ast.BoolNode:
		return text == "true"
	case *ast.IntegerNode, *ast.FloatNode:
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return f
		}
	}
	return text
}

func TestEditor_AcceptsEveryGoodFile(t *testing.T) {
	schema := editorSchema(t)
	for _, file := range append(goldenFiles(t, "good"), examples(t)...) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		value, ok := editorSees(file, data)
		if !ok || value == nil {
			continue // a file that says nothing is no object
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s is good, but the schema says\n%v", file, err)
		}
	}
}

// examples are the configurations among the examples.
func examples(t *testing.T) (files []string) {
	t.Helper()
	err := filepath.WalkDir("../examples", func(path string, _ fs.DirEntry, err error) error {
		if ok, _ := filepath.Match("weir*.yaml", filepath.Base(path)); ok {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

var fencedYAML = regexp.MustCompile("(?s)```ya?ml\n(.*?)```")

// What Weir takes, editors must take: that is every configuration in the
// documentation that is whole.
func TestEditor_AcceptsTheConfigurationsOfTheDocumentation(t *testing.T) {
	schema, whole := editorSchema(t), 0
	env := Options{
		Env:      func(string) (string, bool) { return "0123456789abcdef", true },
		ReadFile: func(string) ([]byte, error) { return []byte("0123456789abcdef"), nil },
	}
	for _, file := range documents(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range fencedYAML.FindAllSubmatch(text, -1) {
			if _, _, err := Parse(file, block[1], env); err != nil {
				continue
			}
			whole++
			if value, ok := editorSees(file, block[1]); !ok {
				t.Errorf("%s: cannot read\n%s", file, block[1])
			} else if err := schema.Validate(value); err != nil {
				t.Errorf("%s: the schema says\n%v\nof\n%s", file, err, block[1])
			}
		}
	}
	if whole < 10 {
		t.Errorf("only %d configurations are whole: the test says little", whole)
	}
}

func documents(t *testing.T) []string {
	t.Helper()
	files := []string{"../README.md"}
	err := filepath.WalkDir("../docs", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// structural are mistakes that the shape of a file shows: a name, a kind, a number.
var structural = regexp.MustCompile(`unknown key|is required(; without.*)?\n|unknown value|must be at (least|most) [0-9]+\n|is neither true nor false|got .*, want a mapping|got .*, want a list|has no unit|is not a (duration|size|share|whole number)`)

func TestEditor_RefusesWhatIsWrongByItsShape(t *testing.T) {
	schema, refused, passed := editorSchema(t), 0, []string{}
	for _, file := range goldenFiles(t, "bad") {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		golden, err := os.ReadFile(strings.TrimSuffix(file, ".yaml") + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		value, ok := editorSees(file, data)
		switch {
		case !ok || value == nil:
		case schema.Validate(value) != nil:
			refused++
		default:
			passed = append(passed, filepath.Base(file))
			if structural.Match(golden) && !strings.Contains(string(data), "${") { // what that becomes is not seen
				t.Errorf("the schema accepts %s, of which Weir says\n%s", file, golden)
			}
		}
	}
	if refused < 50 {
		t.Errorf("the schema refuses %d bad files, and accepts %q", refused, passed)
	}
}

// The schema has to know of every section that may be written as one word.
func TestEditor_KnowsEveryShortForm(t *testing.T) {
	found := 0
	for _, section := range sections(reflect.TypeFor[Config](), map[reflect.Type]bool{}) {
		schema, err := jsonschema.NewCompiler().Compile(schemaFile + "#/$defs/" + section.Name())
		if err != nil {
			t.Fatal(err)
		}
		_, short := reflect.New(section).Interface().(shortForm)
		if section == reflect.TypeFor[Attach]() {
			short = false // it only says what to write instead
		}
		if short {
			found++
		}
		if takes := slices.Contains(schema.Types.ToStrings(), "string"); takes != short {
			t.Errorf("the schema takes a word for %s: %v, want %v", section.Name(), takes, short)
		}
	}
	if found < 6 {
		t.Errorf("only %d sections have a short form", found)
	}
}

// sections lists the struct types of this package that a value of type t is made of.
func sections(t reflect.Type, seen map[reflect.Type]bool) (list []reflect.Type) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return sections(t.Elem(), seen)
	case reflect.Struct:
	default:
		return nil
	}
	if keys := keysOf(t); len(keys) > 0 && !seen[t] {
		seen[t] = true
		list = append(list, t)
		for _, k := range keys {
			list = append(list, sections(t.Field(k.index).Type, seen)...)
		}
	}
	return list
}
