package config

import "testing"

func TestPercent_ReadsAndWritesTheSameForm(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0%", "0%": "0%", "0.0": "0%", "20%": "20%", "020%": "20%", "12.5%": "12.5%", "12.50%": "12.5%", "0.05%": "0.05%", "33.33 %": "33.33%", "1000%": "1000%",
	} {
		var p Percent
		if err := p.UnmarshalText([]byte(in)); err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		var again Percent
		if err := again.UnmarshalText([]byte(p.String())); p.String() != want || again != p || err != nil {
			t.Errorf("%s is written %s and read again as %v, want %s (%v)", in, p, again, want, err)
		}
	}
}

func TestPercent_RefusesWhatIsNoShare(t *testing.T) {
	for _, in := range []string{"", "%", "5", "0.2", "1.%", ".5%", "1.234%", "-1%", "+1%", "1e2%", "20%%", "20 5%", "1000001%", "99999999999999999999%"} {
		var p Percent
		if err := p.UnmarshalText([]byte(in)); err == nil {
			t.Errorf("%q was read as %v", in, p)
		}
	}
}

func TestPercent_IsAShareOfANumber(t *testing.T) {
	for _, c := range []struct {
		share Percent
		n     int
		want  float64
	}{
		{2000, 50, 10}, {1250, 4, 0.5}, {100_00, 7, 7}, {1000_00, 3, 30}, {0, 9, 0}, {Off, 9, 0}, {5000, 0, 0},
	} {
		if got := c.share.Of(c.n); got != c.want {
			t.Errorf("%v of %d is %v, want %v", c.share, c.n, got, c.want)
		}
	}
}
