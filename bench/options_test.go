package main

import (
	"testing"
	"time"
)

func TestParseOptions_QuickYieldsToWhatIsGiven(t *testing.T) {
	o, err := parseOptions([]string{"-quick", "-rounds", "2"})
	if err != nil {
		t.Fatal(err)
	}
	if o.rounds != 2 || o.duration != time.Second || o.idleRounds != 1 || !o.idle {
		t.Errorf("options %+v", o)
	}
}

func TestParseOptions_ProfilesWeirUnlessTold(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"-profile", "1s"}, "weir"},
		{[]string{"-syscalls"}, "weir"},
		{[]string{"-syscalls", "-peers", "nginx"}, "nginx"},
	} {
		o, err := parseOptions(test.args)
		if err != nil || len(o.peers) != 1 || o.peers[0].name != test.want {
			t.Errorf("%v chooses %v, %v, want %s alone", test.args, o.peers, err, test.want)
		}
	}
}

func TestParseOptions_RefusesNonsense(t *testing.T) {
	for _, args := range [][]string{{"-rounds", "0"}, {"-peers", "apache"}, {"-kinds", ""}, {"-duration", "-1s"}} {
		if _, err := parseOptions(args); err == nil {
			t.Errorf("%v was accepted", args)
		}
	}
}

func TestParseOptions_MeasuresAnotherWeirBesideThisOne(t *testing.T) {
	o, err := parseOptions([]string{"-peers", "weir", "-kinds", "small,attached", "-other", "/old/weir"})
	if err != nil {
		t.Fatal(err)
	}
	s := &session{options: o}
	for _, k := range o.kinds {
		all := s.contenders(k)
		if last := all[len(all)-1]; last.program != "/old/weir" || last.attached != all[0].attached {
			t.Errorf("%s measures %+v last, want the other program, attached to as Weir is", k.name, last)
		}
	}
}
