package attach

import (
	"fmt"
	"maps"
	"strings"
	"testing"
)

func TestLabels_AreDecoded(t *testing.T) {
	for text, want := range map[string]map[string]string{
		"gpu=a100":              {"gpu": "a100"},
		"a=1, b=":               {"a": "1", "b": ""},
		"a%2Cb%3D=x%2Cy%3D%20z": {"a,b=": "x,y= z"},
		"city=Z%C3%BCrich":      {"city": "Zürich"},
	} {
		if got, wrong := parseLabels(text); wrong != "" || !maps.Equal(got, want) {
			t.Errorf("%q was read as %v (%s), not as %v", text, got, wrong, want)
		}
	}
}

func TestLabels_AreRefusedWithTheirPlace(t *testing.T) {
	for text, want := range map[string]string{
		"":                               badLabelForm + ", in label 1",
		"a=1,,b=2":                       badLabelForm + ", in label 2",
		"a=1,b":                          badLabelForm + ", in label 2",
		"a=b=c":                          badLabelForm + ", in label 1",
		"=x":                             badLabelName + ", in label 1",
		"a%20b=x":                        badLabelName + ", in label 1",
		"a=%":                            badLabelPercent + ", in label 1",
		"a=%4":                           badLabelPercent + ", in label 1",
		"a=%zz":                          badLabelPercent + ", in label 1",
		"a=1,a=2":                        "repeats a name, in label 2",
		"a=1,%61=2":                      "repeats a name, in label 2",
		"a=%0Alevel%3DERROR":             badLabelValue + ", in label 1",
		"a=%00":                          badLabelValue + ", in label 1",
		"a=%FF":                          badLabelValue + ", in label 1",
		"a=" + strings.Repeat("x", 1024): tooLargeLabels,
	} {
		if got, wrong := parseLabels(text); wrong != want {
			t.Errorf("%.40q was read as %v and refused with %q, not with %q", text, got, wrong, want)
		}
	}
}

func TestLabels_AreBounded(t *testing.T) {
	var pairs []string
	for i := range maxLabels {
		pairs = append(pairs, fmt.Sprintf("n%d=v", i))
	}
	if _, wrong := parseLabels(strings.Join(pairs, ",")); wrong != "" {
		t.Errorf("%d labels were refused: %s", maxLabels, wrong)
	}
	if _, wrong := parseLabels(strings.Join(append(pairs, "more=v"), ",")); wrong != tooManyLabels {
		t.Errorf("%d labels were refused with %q, not with %q", maxLabels+1, wrong, tooManyLabels)
	}
	if _, wrong := parseLabels("a=" + strings.Repeat("x", maxLabelBytes-1)); wrong != "" {
		t.Errorf("%d bytes of labels were refused: %s", maxLabelBytes, wrong)
	}
}

// FuzzLabels looks for text that is read as something that could not be written
// again, or that passes a bound.
func FuzzLabels(f *testing.F) {
	for _, seed := range []string{"a=b", "a=1,b=2", "%61=%2C", "a=%C3%BC", "=", "a=%0A", ",", "a=b=c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		labels, wrong := parseLabels(text)
		if wrong != "" {
			return
		}
		if wrong := badLabels(labels); wrong != "" {
			t.Fatalf("%q was taken, and %s", text, wrong)
		}
		var pairs []string
		for name, value := range labels {
			pairs = append(pairs, encodeAll(name)+"="+encodeAll(value))
		}
		if len(pairs) == 0 {
			t.Fatalf("%q was taken, and has no label", text)
		}
		again := strings.Join(pairs, ",")
		if got, wrong := parseLabels(again); wrong != "" || !maps.Equal(got, labels) {
			t.Fatalf("%q was read as %v; written as %q it is read as %v (%s)", text, labels, again, got, wrong)
		}
	})
}

// encodeAll percent-encodes every byte.
func encodeAll(text string) string {
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, "%%%02X", text[i])
	}
	return b.String()
}
