package main

import (
	"math"
	"testing"
)

func TestSpreadOf_TakesTheMiddle(t *testing.T) {
	for name, test := range map[string]struct {
		values []float64
		want   string
	}{
		"odd":                 {[]float64{3, 1, 2}, "2.00 (1.00–3.00)"},
		"even":                {[]float64{4, 1, 2, 3}, "2.50 (1.00–4.00)"},
		"one":                 {[]float64{7}, "7.00"},
		"none":                {nil, "–"},
		"a round without one": {[]float64{math.NaN(), 5, 7}, "6.00 (5.00–7.00)"},
	} {
		if got := spreadOf(test.values).String(); got != test.want {
			t.Errorf("%s: the spread of %v prints as %q, want %q", name, test.values, got, test.want)
		}
	}
}

func TestSpreadOf_LeavesItsArgumentAlone(t *testing.T) {
	values := []float64{3, math.NaN(), 1}
	spreadOf(values)
	if values[0] != 3 || values[2] != 1 {
		t.Errorf("spreadOf changed its argument to %v", values)
	}
}

func TestNumber_HasThreeDigits(t *testing.T) {
	for value, want := range map[float64]string{
		0: "0.00", 0.743: "0.74", 9.994: "9.99", 12.34: "12.3", 99.96: "100.0", 123.4: "123", 999: "999",
		1000: "1,000", 43210: "43,210", 1234567: "1,234,567", -3.2: "-3.20", -123456: "-123,456",
	} {
		if got := number(value); got != want {
			t.Errorf("number(%v) = %q, want %q", value, got, want)
		}
	}
}

func TestRatio_OfNothingIsADash(t *testing.T) {
	if got := number(ratio(spreadOf([]float64{1}), spreadOf(nil))); got != "–" {
		t.Errorf("a ratio to a peer that was not measured prints as %q", got)
	}
	if got := number(ratio(spreadOf([]float64{1}), spreadOf([]float64{0}))); got != "–" {
		t.Errorf("a ratio to zero prints as %q", got)
	}
}
