package proxytest

import "testing"

func TestStage_KnowsNoOtherEndpointBeforeThereWasAny(t *testing.T) {
	for _, actor := range []string{"any", "same", "other"} {
		st := &stage{whoever: map[string]*endpoint{}}
		if err := st.anyone(&statement{actor: actor, verb: "answer", args: "200"}); err == nil {
			t.Errorf("%s answered although nothing has come to it", actor)
		}
	}
}

func TestEndpoint_CountsWithinARange(t *testing.T) {
	e := &endpoint{name: "a", dials: 3}
	for numbers, ok := range map[string]bool{
		"3": true, "2 to 4": true, "3 to 3": true,
		"2": false, "4 to 9": false, "0 to 2": false, "some": false, "2 to some": false,
	} {
		if err := e.wantCount("dials", numbers); (err == nil) != ok {
			t.Errorf("of 3 dials `want dials %s` says %v", numbers, err)
		}
	}
}
