package proxytest

import (
	"fmt"
	"slices"
	"strings"
)

// matchFields checks the fields of a head against what a block says of them:
//
//	Name: value     is there, in this case, after the field named before it
//	Name: *         the same, with any value
//	! Name          is not there, in whatever case
//
// If whole is set, there are no other fields than those.
func matchFields(got []field, want []string, whole bool) error {
	at := 0
	for _, line := range want {
		if name, ok := strings.CutPrefix(line, "! "); ok {
			for _, f := range got {
				if strings.EqualFold(f.name, name) {
					return fmt.Errorf("there is a field %q: %q, which should not be there", f.name, f.value)
				}
			}
			continue
		}
		name, value, ok := strings.Cut(line, ": ")
		if !ok {
			return fmt.Errorf("%q in the script is not a field", line)
		}
		found := find(got[at:], name, value)
		switch {
		case found < 0:
			return fmt.Errorf("there is no field %q%s", line, after(at, got))
		case whole && found > 0:
			return fmt.Errorf("there is a field %q: %q that is not wanted before %q", got[at].name, got[at].value, line)
		}
		at += found + 1
	}
	if whole && at < len(got) {
		return fmt.Errorf("there is a field %q: %q that is not wanted", got[at].name, got[at].value)
	}
	return nil
}

// inOrder returns fields, and the lines about them, in an order that is the same for
// both, with names in one case. Of several of one name it stays what it was.
func inOrder(got []field, want []string) ([]field, []string) {
	got, want = slices.Clone(got), slices.Clone(want)
	for i := range got {
		got[i].name = strings.ToLower(got[i].name)
	}
	for i, line := range want {
		if name, value, ok := strings.Cut(line, ": "); ok {
			want[i] = strings.ToLower(name) + ": " + value
		}
	}
	slices.SortStableFunc(got, func(a, b field) int { return strings.Compare(a.name, b.name) })
	slices.SortStableFunc(want, func(a, b string) int {
		a, _, _ = strings.Cut(a, ":")
		b, _, _ = strings.Cut(b, ":")
		return strings.Compare(a, b)
	})
	return got, want
}

func after(at int, got []field) string {
	if at == 0 {
		return ""
	}
	return fmt.Sprintf(" after %q", got[at-1].name)
}

func find(got []field, name, value string) int {
	for i, f := range got {
		if f.name == name && (value == "*" || f.value == value) {
			return i
		}
	}
	return -1
}

// matchContent compares content.
func matchContent(got []byte, want string) error {
	if string(got) != want {
		return fmt.Errorf("the content is %s, want %s", show(got), show([]byte(want)))
	}
	return nil
}
