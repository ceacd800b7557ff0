package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes, written as 64KiB, 10MB or 512.
type Size int64

// sizeUnits are in the order String tries them: the largest first.
var sizeUnits = []struct {
	suffix string
	bytes  int64
}{
	{"TiB", 1 << 40},
	{"TB", 1e12},
	{"GiB", 1 << 30},
	{"GB", 1e9},
	{"MiB", 1 << 20},
	{"MB", 1e6},
	{"KiB", 1 << 10},
	{"kB", 1e3},
	{"KB", 1e3},
	{"B", 1},
}

// String renders s with the largest unit that divides it.
func (s Size) String() string {
	if s != 0 {
		for _, u := range sizeUnits[:len(sizeUnits)-1] {
			if int64(s)%u.bytes == 0 {
				return strconv.FormatInt(int64(s)/u.bytes, 10) + u.suffix
			}
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// MarshalText renders s as String does.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the written form: digits, then a unit or nothing.
func (s *Size) UnmarshalText(text []byte) error {
	in := string(text)
	digits, unit := in, int64(1)
	for _, u := range sizeUnits {
		if rest, ok := strings.CutSuffix(in, u.suffix); ok {
			digits, unit = strings.TrimRight(rest, " "), u.bytes
			break
		}
	}
	if strings.HasPrefix(digits, "-") && isDigits(digits[1:]) {
		return fmt.Errorf("%q is negative", in)
	}
	if !isDigits(digits) {
		return errors.New(quote(in) + " is not a size; write 64KiB, 10MB or a number of bytes")
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n > math.MaxInt64/unit {
		return errors.New(quote(in) + " is too large")
	}
	*s = Size(n * unit)
	return nil
}
