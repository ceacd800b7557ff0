package balance

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"strings"
	"testing"
)

// These may never change: keys would move at an update, and differ between routers
// of different versions.
func TestKey_IsTheSameForever(t *testing.T) {
	for text, want := range map[string]uint64{
		"":                              0xe220a8397b1dcdaf,
		"a":                             0x5e11b3d7e565bc50,
		"user-42":                       0x813fe0550b622391,
		"/index.html":                   0x1ce4c045b79902c0,
		strings.Repeat("0123456789", 7): 0x79b370506aac2c35,
	} {
		if got := Key([]byte(text)); got != want {
			t.Errorf("the key of %q is %#x, want %#x", text, got, want)
		}
	}
}

func TestKey_TellsApartWhatDiffersInZerosAndLength(t *testing.T) {
	seen := map[uint64]int{}
	for n := range 100 {
		key := Key(make([]byte, n))
		if m, ok := seen[key]; ok {
			t.Errorf("%d and %d zero bytes have the same key", m, n)
		}
		seen[key] = n
	}
}

func TestKey_CollidesForNoneOfManySimilarTexts(t *testing.T) {
	const n = 50_000
	seen := make(map[uint64]string, 2*n)
	for i := range n {
		for _, format := range []string{"user-%d", "/a/long/path/to/something/%d/index.html"} {
			text := fmt.Sprintf(format, i)
			key := Key([]byte(text))
			if other, ok := seen[key]; ok {
				t.Fatalf("%s and %s have the same key", text, other)
			}
			seen[key] = text
		}
	}
}

// Any bit of the input changes each bit of the key in half of all cases.
func TestKey_SpreadsEveryBit(t *testing.T) {
	for _, size := range []int{1, 7, 8, 9, 16, 31} {
		const samples = 2000
		var flips [64]int
		for bit := range size * 8 {
			clear(flips[:])
			b := make([]byte, max(size, 8))
			for sample := range uint64(samples) {
				binary.LittleEndian.PutUint64(b, sample*golden)
				before := Key(b[:size])
				b[bit/8] ^= 1 << (bit % 8)
				for changed := before ^ Key(b[:size]); changed != 0; changed &= changed - 1 {
					flips[bits.TrailingZeros64(changed)]++
				}
			}
			for at, n := range flips {
				if size > 1 && (n < samples*42/100 || n > samples*58/100) {
					t.Fatalf("of %d bytes, bit %d changes bit %d of the key %d times in %d", size, bit, at, n, samples)
				}
			}
		}
	}
}

// The keys of similar texts fall evenly, by their leading as by their trailing
// bits.
func TestKey_FallsEvenly(t *testing.T) {
	const n, buckets = 64_000, 64
	var leading, trailing [buckets]float64
	for i := range n {
		key := Key(fmt.Appendf(nil, "session=%08d", i))
		leading[key>>58]++
		trailing[key%buckets]++
	}
	for name, counts := range map[string][buckets]float64{"leading": leading, "trailing": trailing} {
		chi2 := 0.0
		for _, c := range counts {
			chi2 += (c - n/buckets) * (c - n/buckets) / (n / buckets)
		}
		if chi2 > 120 { // 63 is to be expected, 120 is exceeded once in 50000 times
			t.Errorf("by their %s bits, 64000 keys fall with a chi-square of %.0f over 63 degrees of freedom", name, chi2)
		}
	}
}

func TestKey_AllocatesNothing(t *testing.T) {
	b := []byte("a key that is not a multiple of eight bytes")
	if n := testing.AllocsPerRun(100, func() { Key(b) }); n != 0 {
		t.Errorf("Key allocates %v times", n)
	}
}

func TestIdentities_DependOnTheNameAlone(t *testing.T) {
	a := identities([]Target{{Name: "x", Weight: 1}, {Name: "y", Weight: 2}})
	b := identities([]Target{{Name: "y", Weight: 7}, {Name: "x", Weight: 9}})
	if a[0] != b[1] || a[1] != b[0] {
		t.Errorf("x and y are %#x, in another order and of other weights %#x", a, b)
	}
	same := identities([]Target{{Name: "x"}, {Name: "x"}, {Name: "x"}})
	if same[0] != a[0] || same[1] == same[0] || same[2] == same[0] || same[2] == same[1] {
		t.Errorf("three of the name x are %#x, want %#x and two others", same, a[0])
	}
}
