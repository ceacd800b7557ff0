package content

import (
	"io"
	"strings"
	"testing"

	"github.com/weirproxy/weir/internal/exchange"
)

// source returns a func that hands out the pieces, one after the other.
func source(pieces ...string) func(bool) ([]byte, error) {
	return func(bool) ([]byte, error) {
		if len(pieces) == 0 {
			return nil, io.EOF
		}
		data := []byte(pieces[0])
		pieces = pieces[1:]
		return data, nil
	}
}

// rest is what k hands out, and then read does.
func rest(k *Kept, read func(bool) ([]byte, error)) string {
	var all strings.Builder
	for {
		data := k.Next()
		if data == nil {
			var err error
			if data, err = read(true); err != nil {
				return all.String()
			}
			k.Note(data)
		}
		all.Write(data)
	}
}

func TestKept_HandsOutAgainWhatItCouldKeep(t *testing.T) {
	b := &Budget{Each: 10, Total: 100}
	var k Kept
	k.Begin(b)
	read := source("ab", "cd")
	for range 3 {
		if got := rest(&k, read); got != "abcd" {
			t.Errorf("it hands out %q, want abcd", got)
		}
		if !k.Rewind() {
			t.Error("it cannot be rewound, although everything was kept")
		}
	}
	if b.Used() != 4 {
		t.Errorf("%d bytes count as kept, want 4", b.Used())
	}
	k.End()
	if b.Used() != 0 {
		t.Errorf("%d bytes count as kept when all is over", b.Used())
	}
}

func TestKept_LetsGoOfWhatIsTooLarge(t *testing.T) {
	for _, b := range []*Budget{{Each: 3, Total: 100}, {Each: 100, Total: 3}} {
		var k Kept
		k.Begin(b)
		if got := rest(&k, source("ab", "cd", "e")); got != "abcde" {
			t.Errorf("it hands out %q, want all of it once", got)
		}
		if k.Rewind() {
			t.Errorf("within %d and %d it can be rewound, although it was too large", b.Each, b.Total)
		}
		if b.Used() != 0 {
			t.Errorf("%d bytes count as kept, although nothing is", b.Used())
		}
	}
}

func TestKept_LoadLosesNothingOfWhatIsTooLarge(t *testing.T) {
	b := &Budget{Each: 3, Total: 100}
	var k Kept
	k.Begin(b)
	read := source("ab", "cd", "e")
	if whole, err := k.Load(read); whole || err != nil {
		t.Errorf("Load returns %t, %v", whole, err)
	}
	if got := rest(&k, read); got != "abcde" {
		t.Errorf("after Load it hands out %q", got)
	}
	if k.Rewind() {
		t.Error("it can be rewound")
	}
	k.End()
	if b.Used() != 0 {
		t.Errorf("%d bytes count as kept when all is over", b.Used())
	}
}

func TestKept_ForksWhatWasLoaded(t *testing.T) {
	b := &Budget{Each: 10, Total: 100}
	var k Kept
	k.Begin(b)
	if whole, err := k.Load(source("ab", "cd")); !whole || err != nil {
		t.Fatalf("Load returns %t, %v", whole, err)
	}
	one, other := k.Fork(nil), k.Fork(exchange.Header{{Name: []byte("X")}})
	first, _ := one.Next(true)
	second, _ := other.Next(true)
	if string(first) != "abcd" || string(second) != "abcd" || len(other.Trailer()) != 1 {
		t.Errorf("the forks read %q and %q", first, second)
	}
	if _, err := one.Next(true); err != io.EOF || !one.Rewind() {
		t.Errorf("a fork ends with %v", err)
	}
}
