package config

import (
	"math"
	"testing"
	"time"
)

func TestDelay_ReadsAndWritesTheSameForm(t *testing.T) {
	for in, want := range map[string]Delay{
		"50ms": {Fixed: Duration(50 * time.Millisecond)}, "1m30s": {Fixed: Duration(90 * time.Second)},
		"p50": {Percentile: 50}, "p95": {Percentile: 95}, "p99.9": {Percentile: 99.9}, "p66.625": {Percentile: 66.625},
	} {
		var d Delay
		if err := d.UnmarshalText([]byte(in)); err != nil || d != want {
			t.Errorf("%s is read as %+v, want %+v (%v)", in, d, want, err)
			continue
		}
		var again Delay
		if err := again.UnmarshalText([]byte(d.String())); d.String() != in || again != d || err != nil {
			t.Errorf("%s is written %s and read again as %+v (%v)", in, d, again, err)
		}
	}
}

func TestDelay_RefusesWhatIsNone(t *testing.T) {
	for _, in := range []string{"", "0", "0s", "5", "-1s", "p", "p0", "p49.9", "p99.91", "p100", "p-95", "p+95", "p0x5f", "p1e2", "pInf", "pNaN", "p9.5.1", "P95", "95%"} {
		d := Delay{Percentile: 1}
		if err := d.UnmarshalText([]byte(in)); err == nil {
			t.Errorf("%q was read as %+v", in, d)
		} else if d.Percentile != 1 {
			t.Errorf("%q was refused and changed the delay to %+v", in, d)
		}
	}
}

func TestValidate_RefusesADelayThatCannotBeWritten(t *testing.T) {
	for _, d := range []Delay{
		{Fixed: -1}, {Percentile: -1}, {Percentile: 20}, {Percentile: 100}, {Percentile: math.NaN()}, {Percentile: math.Inf(1)}, {Fixed: 1, Percentile: 95},
	} {
		c := &Config{Services: map[string]Service{"web": {Hedge: Hedge{After: d}}}}
		problems := c.Validate()
		if len(problems) != 1 || problems[0].Path != "services.web.hedge.after" {
			t.Errorf("of %+v is said %v, want one problem", d, problems)
		}
	}
}
