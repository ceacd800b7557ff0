package config

import (
	"testing"
	"time"
)

func TestDuration_ReadsAndWritesTheSameForm(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0s", "0s": "0s", "100ms": "100ms", "90s": "1m30s", "60s": "1m", "3600s": "1h", "1h30m": "1h30m", "1h0m5s": "1h0m5s", "1.5s": "1.5s",
	} {
		var d Duration
		if err := d.UnmarshalText([]byte(in)); err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		var again Duration
		if err := again.UnmarshalText([]byte(d.String())); d.String() != want || again != d || err != nil {
			t.Errorf("%s is written %s and read again as %v, want %s (%v)", in, d, again, want, err)
		}
	}
	if Duration(time.Second).Std() != time.Second {
		t.Error("Std is not the same time")
	}
}

func TestDuration_AsksForAUnit(t *testing.T) {
	var d Duration
	err := d.UnmarshalText([]byte("30"))
	if err == nil || err.Error() != `"30" has no unit; write 30s or 30ms` {
		t.Errorf("got %v", err)
	}
}

func TestSize_ReadsAndWritesTheSameForm(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0", "512": "512", "512B": "512", "64KiB": "64KiB", "65536": "64KiB", "1024 KiB": "1MiB", "10MB": "10MB", "1kB": "1kB", "1KB": "1kB", "2GiB": "2GiB", "3TB": "3TB",
	} {
		var s Size
		if err := s.UnmarshalText([]byte(in)); err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		var again Size
		if err := again.UnmarshalText([]byte(s.String())); s.String() != want || again != s || err != nil {
			t.Errorf("%s is written %s and read again as %v, want %s (%v)", in, s, again, want, err)
		}
	}
}

func TestSize_RefusesWhatIsNoSize(t *testing.T) {
	for _, in := range []string{"", "KiB", "1.5MiB", "64k", "+1", "1e3", "0x10", "8 388 608", "9223372036854775808", "8388608TiB"} {
		var s Size
		if err := s.UnmarshalText([]byte(in)); err == nil {
			t.Errorf("%q was read as %v", in, s)
		}
	}
}

func TestSuggest_FindsTheNearestNameOrNone(t *testing.T) {
	names := []string{"listeners", "services", "routes", "limits", "tls"}
	for written, want := range map[string]string{
		"listners": "listeners", "Services": "services", "rotues": "routes", "service": "services", "tsl": "tls", "metrics": "", "x": "", "": "",
	} {
		if got := suggest(written, names); got != want {
			t.Errorf("for %q it suggests %q, want %q", written, got, want)
		}
	}
}

func TestParentPath_UndoesJoining(t *testing.T) {
	for _, path := range []string{"services", "services.web", `services["a.b"]`, `services["a[\"x\"].b"]`, "routes[12]"} {
		for _, below := range []string{joinKey(path, "key"), joinIndex(path, 3), joinKey(path, "not plain")} {
			if got := parentPath(below); got != path {
				t.Errorf("the parent of %s is %s, want %s", below, got, path)
			}
		}
	}
	if got := parentPath("services"); got != "" {
		t.Errorf("the parent of the first key is %q", got)
	}
}
