package config

import (
	"errors"
	"strconv"
	"strings"
)

// Delay is a span of time, or as long as a share of the requests lately took:
// written as 50ms, or as p95 for what 95 of 100 did not exceed. One of its
// fields is set; as with every field, zero is the default.
type Delay struct {
	Fixed Duration
	// Percentile is from 50 to 99.9.
	Percentile float64
}

const (
	leastPercentile = 50
	mostPercentile  = 99.9
)

// String renders d as it would be written.
func (d Delay) String() string {
	if d.Percentile != 0 {
		return "p" + strconv.FormatFloat(d.Percentile, 'f', -1, 64)
	}
	return d.Fixed.String()
}

// MarshalText renders d as String does.
func (d Delay) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the written form.
func (d *Delay) UnmarshalText(text []byte) error {
	s := string(text)
	read := Delay{}
	if number, ok := strings.CutPrefix(s, "p"); ok {
		n, err := strconv.ParseFloat(number, 64)
		if err != nil || !onlyOf(number, "0123456789.") {
			return errors.New(quote(s) + " is not a percentile; write p50, p95 or p99.9")
		}
		read.Percentile = n
	} else if err := read.Fixed.UnmarshalText(text); err != nil {
		return err
	}
	if message := read.wrong(); message != "" {
		return errors.New(message)
	}
	*d = read
	return nil
}

// wrong tells what is wrong with d, or "".
func (d Delay) wrong() string {
	inside := d.Percentile >= leastPercentile && d.Percentile <= mostPercentile
	switch {
	case d.Percentile != 0 && d.Fixed != 0:
		return "is either a duration or a percentile"
	case d.Percentile != 0 && !inside:
		return "a percentile is from p50 to p99.9"
	case d.Fixed < 0:
		return "must not be negative"
	case d == Delay{}:
		return "must not be 0; to ask all at once, write strategy: fanout"
	}
	return ""
}
