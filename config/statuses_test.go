package config

import (
	"slices"
	"testing"
)

func TestStatusSet_HasClassesCodesAndNames(t *testing.T) {
	names, statuses, err := StatusSet([]string{"reset", "2xx", "503", "connect", "503", "204"})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"reset", "connect"}; !slices.Equal(names, want) {
		t.Errorf("the names are %q, want %q", names, want)
	}
	if len(statuses) != 600 {
		t.Fatalf("there are places for %d codes, want one for each below 600", len(statuses))
	}
	for code, in := range statuses {
		if want := code >= 200 && code <= 299 || code == 503; in != want {
			t.Errorf("%d is in the set: %t, want %t", code, in, want)
		}
	}
}

func TestStatusSet_ReachesTheFirstAndTheLastCode(t *testing.T) {
	_, statuses, err := StatusSet([]string{"1xx", "5xx"})
	if err != nil || !statuses[100] || !statuses[599] || statuses[99] || statuses[499] {
		t.Errorf("100: %t, 599: %t, 99: %t, 499: %t (%v)", statuses[100], statuses[599], statuses[99], statuses[499], err)
	}
}

func TestStatusSet_OfNothingIsEmpty(t *testing.T) {
	names, statuses, err := StatusSet(nil)
	if err != nil || len(names) > 0 || slices.Contains(statuses, true) {
		t.Errorf("got %q and %v (%v), want an empty set", names, statuses, err)
	}
}

func TestStatusSet_RefusesWhatIsNeither(t *testing.T) {
	for _, text := range []string{"", "xx", "0xx", "6xx", "2XX", "20x", "12xx", "99", "099", "600", "+20", "-200", "2e2", "20", "2000", "Reset", "refused"} {
		if names, _, err := StatusSet([]string{"200", text}); err == nil {
			t.Errorf("%q was taken for a status or for a name of %q", text, names)
		}
	}
}
