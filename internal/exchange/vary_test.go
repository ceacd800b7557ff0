package exchange

import (
	"slices"
	"testing"
)

func TestAddVary_AddsALineOnlyWhereNoneSaysSo(t *testing.T) {
	for _, tc := range []struct {
		before, after []string
	}{
		{nil, []string{"Origin"}},
		{[]string{"Accept-Encoding"}, []string{"Accept-Encoding", "Origin"}},
		{[]string{"origin"}, []string{"origin"}},
		{[]string{"Accept , ORIGIN,Cookie"}, []string{"Accept , ORIGIN,Cookie"}},
		{[]string{"Accept", "Origin"}, []string{"Accept", "Origin"}},
		{[]string{"*"}, []string{"*"}},
		{[]string{"X-Origin"}, []string{"X-Origin", "Origin"}},
	} {
		var h Header
		for _, v := range tc.before {
			h = append(h, Field{Name: []byte("vary"), Value: []byte(v)})
		}
		var got []string
		for _, f := range AddVary(h, []byte("Origin")) {
			got = append(got, string(f.Value))
		}
		if !slices.Equal(got, tc.after) {
			t.Errorf("Vary %q becomes %q, want %q", tc.before, got, tc.after)
		}
	}
}

func TestAddVary_DoesNotTrustALineThatIsNotPassedOn(t *testing.T) {
	h := AddVary(Header{{Name: []byte("Vary"), Value: []byte("Origin"), Skip: true}}, []byte("Origin"))
	if len(h) != 2 {
		t.Error("a Vary line that is not passed on counts as if it were")
	}
}
