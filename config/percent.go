package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Percent is a share in hundredths of a percent, written as 20%, 12.5% or 0: 20%
// is 2000.
type Percent int

// wholePercent is the whole of it.
const wholePercent Percent = 100_00

// maxPercent is the largest share that can be written; what it is a share of
// makes no sense long before.
const maxPercent = 1_000_000

// Of returns the share of n; 0 if p is [Off].
func (p Percent) Of(n int) float64 { return float64(max(p, 0)) * float64(n) / float64(wholePercent) }

// String renders p as it would be written.
func (p Percent) String() string {
	return strconv.FormatFloat(float64(p)/100, 'f', -1, 64) + "%"
}

// MarshalText renders p as String does.
func (p Percent) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the written form. A number without % is refused: whether
// 0.2 meant a fifth or less than a percent cannot be known.
func (p *Percent) UnmarshalText(text []byte) error {
	s := string(text)
	number, ok := strings.CutSuffix(s, "%")
	number = strings.TrimRight(number, " ")
	whole, fraction, point := strings.Cut(number, ".")
	switch {
	case strings.HasPrefix(s, "-"):
		return errors.New(quote(s) + " is negative")
	case !isDigits(whole) || point && !isDigits(fraction):
		return errors.New(quote(s) + " is not a share; write 20% or 12.5%")
	case !ok && strings.Trim(number, "0.") != "":
		return fmt.Errorf("%s has no %%; write %s%%", quote(s), number)
	case len(fraction) > 2:
		return errors.New(quote(s) + " has more than two digits behind the point")
	}
	n, err := strconv.Atoi(whole)
	if err != nil || n > maxPercent {
		return errors.New(quote(s) + " is too large")
	}
	hundredths, _ := strconv.Atoi((fraction + "00")[:2]) // only digits
	*p = Percent(n*100 + hundredths)
	return nil
}
