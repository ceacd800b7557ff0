package shape

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/traits"
)

// A generator writes JSON that is hard to keep as it is, and notes where the value
// of each path lies.
type generator struct {
	*rand.Rand
	out   []byte
	spans map[string][][2]int
	paths []string // of spans, in their order
}

func newGenerator(seed uint64) *generator {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 7)), spans: map[string][][2]int{}}
	g.space()
	g.object("", 0)
	g.space()
	return g
}

func (g *generator) space() {
	for g.IntN(3) == 0 {
		g.out = append(g.out, " \t\n\r"[g.IntN(4)])
	}
}

func (g *generator) pick(of ...string) string { return of[g.IntN(len(of))] }

func (g *generator) write(text string) { g.out = append(g.out, text...) }

// names are as they are written, and what they are.
var generatedNames = [][2]string{
	{`"a"`, "a"},
	{`"b"`, "b"},
	{`"\u0061a"`, "aa"},
	{`"a\"q"`, `a"q`},
	{`"x\\"`, `x\\`},
	{`"ü"`, "ü"},
	{`"\ud83d\ude00"`, "😀"},
	{`"0"`, "0"},
	{`"}"`, "}"},
	{`" "`, " "},
	{`"a.b"`, `a\.b`},
	{`"@this"`, "@this"},
	{`"*"`, "*"},
}

func (g *generator) scalar() string {
	return g.pick(`1`, `-0`, `9007199254740993`, `123456789012345678901234567890`, `1.50`, `1E+2`, `1e999`, `true`, `false`, `null`,
		`""`, `"text"`, `"\u00e9\/\n"`, `"é"`, `"{\"a\":1}"`, `"\\"`, `"]"`, `"\ud800"`)
}

func (g *generator) value(at string, depth int) {
	start := len(g.out)
	switch kind := g.IntN(4); {
	case depth < 4 && kind == 0:
		g.object(at, depth)
	case depth < 4 && kind == 1:
		g.array(at, depth)
	default:
		g.write(g.scalar())
	}
	g.note(at, start)
}

func (g *generator) note(at string, start int) {
	if g.spans[at] == nil {
		g.paths = append(g.paths, at)
	}
	g.spans[at] = append(g.spans[at], [2]int{start, len(g.out)})
}

func below(at, name string) string { return strings.TrimPrefix(at+"."+name, ".") }

func (g *generator) object(at string, depth int) {
	g.write("{")
	g.space()
	order := g.Perm(len(generatedNames))[:g.IntN(5)]
	for i, n := range order {
		if i > 0 {
			g.write(",")
			g.space()
		}
		name := generatedNames[n]
		g.write(name[0])
		g.space()
		g.write(":")
		g.space()
		if g.IntN(5) == 0 { // twice, as no two readers take it
			for range 2 {
				start := len(g.out)
				g.write(g.scalar())
				g.note(below(at, name[1]), start)
				g.space()
				if bytes.Count(g.out[start:], []byte(",")) == 0 && len(g.spans[below(at, name[1])])%2 == 1 {
					g.write("," + name[0] + ":")
				}
			}
			continue
		}
		g.value(below(at, name[1]), depth+1)
		g.space()
	}
	g.write("}")
}

func (g *generator) array(at string, depth int) {
	g.write("[")
	g.space()
	for i := range g.IntN(4) {
		if i > 0 {
			g.write(",")
			g.space()
		}
		g.value(below(at, itoa(i)), depth+1)
		g.space()
	}
	g.write("]")
}

const rounds = 3000

// TestSetJSON_ChangesExactlyTheNamedPlace: all bytes but those of the value stay,
// those of every one of members that have the same name included.
func TestSetJSON_ChangesExactlyTheNamedPlace(t *testing.T) {
	value := []byte(`{"new":1}`)
	for seed := range uint64(rounds) {
		g := newGenerator(seed)
		if !json.Valid(g.out) {
			t.Fatalf("seed %d makes what is not JSON: %s", seed, g.out)
		}
		for _, name := range g.paths {
			var want []byte
			at := 0
			for _, span := range g.spans[name] {
				want = append(append(want, g.out[at:span[0]]...), value...)
				at = span[1]
			}
			want = append(want, g.out[at:]...)
			p, err := parsePath(name)
			if err != nil {
				t.Fatal(err)
			}
			got, err := setJSON(g.out, p, value)
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("seed %d: %q set in\n%s\ngives\n%s, %v; want\n%s", seed, name, g.out, got, err, want)
			}
		}
	}
}

// TestSetJSON_AddsWhatIsMissing: nothing is taken away, and what is added is one
// piece.
func TestSetJSON_AddsWhatIsMissing(t *testing.T) {
	for seed := range uint64(rounds) {
		g := newGenerator(seed)
		got, err := setJSON(g.out, path{"missing", "way", "0", "to"}, []byte("1"))
		if err != nil || !json.Valid(got) || !oneCut(got, g.out) {
			t.Fatalf("seed %d: an addition to\n%s\ngives\n%s, %v", seed, g.out, got, err)
		}
		before, after := parsed(t, g.out).(map[string]any), parsed(t, got).(map[string]any)
		added := after["missing"]
		delete(after, "missing")
		if !reflect.DeepEqual(before, after) || !reflect.DeepEqual(added, parsed(t, []byte(`{"way":[{"to":1}]}`))) {
			t.Fatalf("seed %d: an addition to\n%s\ngives\n%s", seed, g.out, got)
		}
	}
}

// TestRemoveJSON_TakesExactlyTheNamedPlace: nothing else is taken away, but for a
// comma and white space.
func TestRemoveJSON_TakesExactlyTheNamedPlace(t *testing.T) {
	for seed := range uint64(rounds) {
		g := newGenerator(seed)
		for _, name := range g.paths {
			p, _ := parsePath(name)
			got := removeJSON(g.out, p)
			if !json.Valid(got) {
				t.Fatalf("seed %d: %q removed from\n%s\ngives\n%s", seed, name, g.out, got)
			}
			if len(g.spans[name]) == 1 && !oneCut(g.out, got) {
				t.Fatalf("seed %d: more than %q is removed from\n%s\nwhat stays is\n%s", seed, name, g.out, got)
			}
			want := without(parsed(t, g.out), p)
			if !reflect.DeepEqual(parsed(t, got), want) {
				t.Fatalf("seed %d: %q removed from\n%s\ngives\n%s", seed, name, g.out, got)
			}
		}
		if got := removeJSON(g.out, path{"missing"}); !bytes.Equal(got, g.out) {
			t.Fatalf("seed %d: to remove what is not there changes\n%s\nto\n%s", seed, g.out, got)
		}
	}
}

// TestMergeJSON_IsRFC7396: the result is that of the RFC, and what the patch does
// not name has the bytes it had.
func TestMergeJSON_IsRFC7396(t *testing.T) {
	for seed := range uint64(rounds) {
		g, patch := newGenerator(seed), newGenerator(seed+1_000_000)
		if bytes.Contains(patch.out, []byte("e999")) { // has no form as a value
			continue
		}
		got, err := mergeJSON(g.out, nil, valueOf(patch.out).(traits.Mapper), 1<<20)
		if err != nil || !json.Valid(got) {
			t.Fatalf("seed %d: %s merged into\n%s\ngives\n%s, %v", seed, patch.out, g.out, got, err)
		}
		want := merged(rounded(parsed(t, g.out)), rounded(parsed(t, patch.out)))
		if !reflect.DeepEqual(rounded(parsed(t, got)), want) {
			t.Fatalf("seed %d: %s merged into\n%s\ngives\n%s", seed, patch.out, g.out, got)
		}
		named := parsed(t, patch.out).(map[string]any)
		start := skipSpace(g.out, 0)
		for _, it := range items(g.out, start) {
			if _, ok := named[nameOf(g.out, it)]; !ok && !bytes.Contains(got, g.out[it.start:it.end]) {
				t.Fatalf("seed %d: %s is changed by merging %s", seed, g.out[it.start:it.end], patch.out)
			}
		}
	}
}

func TestSetJSON_PutsNothingWhereThereIsNoPlace(t *testing.T) {
	for doc, names := range map[string][]string{
		`{"a":1}`:       {"a.b", "a.0"},
		`{"a":[1,2]}`:   {"a.3", "a.x", "a.00", "a.1.b", "a.99999999999"},
		`{"a":{"b":2}}`: {"a.b.c"},
		`{}`:            {"a.5", "a.b.2"},
	} {
		for _, name := range names {
			p, err := parsePath(name)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := setJSON([]byte(doc), p, []byte("9")); err != errNoPlace {
				t.Errorf("%s set in %s gives %s, %v", name, doc, got, err)
			}
		}
	}
	for _, tc := range [][3]string{
		{`{"a":[1,2]}`, "a.2", `{"a":[1,2,9]}`},
		{`{"a":[1,2] }`, "a.-1", `{"a":[1,2,9] }`},
		{`{"a":[ ]}`, "a.0", `{"a":[9 ]}`},
		{` { } `, "a", ` {"a":9 } `},
		{"{\n  \"a\": 1\n}\n", "b", "{\n  \"a\": 1,\"b\":9\n}\n"},
	} {
		p, _ := parsePath(tc[1])
		if got, err := setJSON([]byte(tc[0]), p, []byte("9")); string(got) != tc[2] || err != nil {
			t.Errorf("%s set in %s gives %s, %v; want %s", tc[1], tc[0], got, err, tc[2])
		}
	}
}

// oneCut reports whether short is long without one piece of it.
func oneCut(long, short []byte) bool {
	p := 0
	for p < len(short) && long[p] == short[p] {
		p++
	}
	s := 0
	for s < len(short) && long[len(long)-1-s] == short[len(short)-1-s] {
		s++
	}
	return len(long) >= len(short) && p+s >= len(short)
}

func parsed(t *testing.T, text []byte) (v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// without is the reference for remove, on parsed JSON.
func without(v any, p path) any {
	switch x := v.(type) {
	case map[string]any:
		if inner, ok := x[p[0]]; ok && len(p) > 1 {
			x[p[0]] = without(inner, p[1:])
		} else {
			delete(x, p[0])
		}
	case []any:
		if n, ok := index(p[0], len(x)); ok && len(p) > 1 {
			x[n] = without(x[n], p[1:])
		} else if ok {
			return slices.Delete(x, n, n+1)
		}
	}
	return v
}

// merged is MergePatch of RFC 7396 §2.
func merged(target, patch any) any {
	p, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	result, ok := target.(map[string]any)
	if !ok {
		result = map[string]any{}
	}
	for name, val := range p {
		if val == nil {
			delete(result, name)
		} else {
			result[name] = merged(result[name], val)
		}
	}
	return result
}

// rounded has all numbers in one form.
func rounded(v any) any {
	switch x := v.(type) {
	case json.Number:
		f, _ := x.Float64()
		return f
	case []any:
		for i := range x {
			x[i] = rounded(x[i])
		}
	case map[string]any:
		for name := range x {
			x[name] = rounded(x[name])
		}
	}
	return v
}

func TestPath_SaysWhatIsWrong(t *testing.T) {
	for name, want := range map[string]string{
		"": "names a member", "$.a": `without "$"`, "a..b": "segment", "a.": "segment", `a\`: "backslash", "a[0]": "list.0",
		strings.Repeat("a.", 300) + "a": "too deep",
	} {
		if _, err := parsePath(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", name, err)
		}
	}
	p, err := parsePath(`a\.b.c\\.0.\[`)
	if err != nil || !slices.Equal(p, path{"a.b", `c\`, "0", "["}) {
		t.Errorf("the path is %q, %v", p, err)
	}
}

func TestAppendJSON_HasOneFormForEveryValue(t *testing.T) {
	got, err := appendJSON(nil, types.String("a\"\\\n\r\t\x01é\xff"), 100)
	if err != nil || string(got) != "\"a\\\"\\\\\\n\\r\\t\\u0001é\ufffd\"" {
		t.Errorf("a text is %s, %v", got, err)
	}
	if _, err := appendJSON(nil, types.String(strings.Repeat("a", 101)), 100); err == nil {
		t.Error("a text over the limit is written")
	}
}
