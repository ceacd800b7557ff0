package ledger

import (
	"path/filepath"
	"slices"
	"testing"
)

func TestBook_GoesOnWhereTheOneBeforeLeftOff(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	for _, id := range []string{"first", "second"} {
		b, err := Open(path, "a")
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Add(Begun, "POST", id); err != nil {
			t.Fatal(err)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, e := range entries {
		if e.Event != Begun || e.Method != "POST" || e.Endpoint != "a" || e.At.IsZero() {
			t.Errorf("an entry is %+v, want a POST begun at a", e)
		}
		ids = append(ids, e.ID)
	}
	if !slices.Equal(ids, []string{"first", "second"}) {
		t.Errorf("the ledger has %q, want first and second", ids)
	}
}

func TestRead_TakesAMissingLedgerForEmpty(t *testing.T) {
	if entries, err := Read(filepath.Join(t.TempDir(), "none")); len(entries) != 0 || err != nil {
		t.Errorf("a ledger that is not there has %v, %v; want nothing", entries, err)
	}
}

func TestParse_RefusesWhatIsNoEntry(t *testing.T) {
	for _, line := range []string{"", "begun GET 1 a", "x begun GET 1 a", "1 begun GET 1 a b"} {
		if e, err := Parse(line); err == nil {
			t.Errorf("%q is read as %v, want an error", line, e)
		}
	}
}
