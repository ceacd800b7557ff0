package config

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Duration is a span of time, written as 100ms, 30s, 1m30s or 0.
type Duration time.Duration

// Std returns d as the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String renders d as it would be written: 90s is 1m30s, 3600s is 1h.
func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// MarshalText renders d as String does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the written form. A number without a unit is refused:
// whether it meant seconds or milliseconds cannot be known.
func (d *Duration) UnmarshalText(text []byte) error {
	s := string(text)
	v, err := time.ParseDuration(s)
	switch {
	case err == nil && v < 0:
		return fmt.Errorf("%q is negative", s)
	case err == nil:
		*d = Duration(v)
		return nil
	case isDigits(s):
		return fmt.Errorf("%q has no unit; write %ss or %sms", s, s, s)
	}
	return errors.New(quote(s) + " is not a duration; write 30s, 100ms or 1m30s")
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
