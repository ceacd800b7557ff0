package weir

import (
	"bytes"
	"testing"
)

// CheckStateRoundTrip checks that a state which can be read is written so that it
// reads the same.
func CheckStateRoundTrip(t *testing.T, text []byte) {
	all, err := parseState(text)
	if err != nil {
		return
	}
	once, err := formatState(all)
	if err != nil {
		t.Fatal(err)
	}
	again, err := parseState(once)
	if err != nil {
		t.Fatalf("what was written does not read: %v\n%s", err, once)
	}
	twice, err := formatState(again)
	if err != nil || !bytes.Equal(once, twice) {
		t.Errorf("it reads and is written as %s (%v), want %s", twice, err, once)
	}
}
