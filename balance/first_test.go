package balance

import "testing"

func TestFirst_TakesTheFirstThatIsFree(t *testing.T) {
	for _, test := range []struct {
		name string
		c    *state
		want int
	}{
		{"all free", busy(), 0},
		{"the first busy", busy(0), 1},
		{"only the last free", busy(0, 1, 2), 3},
		{"none free", busy(0, 1, 2, 3), -1},
	} {
		p := NewFirst(weighted(1, 9, 9, 9), nil)
		for _, got := range picks(p, test.c, 3) {
			if got != test.want {
				t.Errorf("%s: endpoint %d is picked, want %d", test.name, got, test.want)
			}
		}
	}
}
