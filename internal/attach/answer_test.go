package attach

import (
	"reflect"
	"testing"
)

func TestAnswer_IsReadWithDefaults(t *testing.T) {
	full := `{"service":"shop","version":"v2","instance":"i","weight":7,"zone":"eu","labels":{"a":"b"},"token":"secret","more":1}`
	want := Claim{Service: "shop", Version: "v2", Instance: "i", Weight: 7, Zone: "eu", Labels: map[string]string{"a": "b"}}
	if claim, token, refusal := ReadAnswer([]byte(full)); refusal != nil || token != "secret" || !reflect.DeepEqual(claim, want) {
		t.Errorf("the answer was read as %+v with token %q (%v)", claim, token, refusal)
	}
	want = Claim{Service: "default", Weight: 1}
	if claim, token, refusal := ReadAnswer([]byte(`{}`)); refusal != nil || token != "" || !reflect.DeepEqual(claim, want) {
		t.Errorf("an empty answer was read as %+v with token %q (%v)", claim, token, refusal)
	}
}

func TestAnswer_IsRefusedIfItIsWrong(t *testing.T) {
	for _, text := range []string{
		``, `[]`, `{"weight":"1"}`, `{"weight":-1}`, `{"weight":1001}`, `{"service":"a@b"}`, `{"instance":"a\nb"}`,
		`{"labels":{"":"x"}}`, `{"labels":{"a":"\u0000"}}`, `{"zone":".."}`,
	} {
		if claim, _, refusal := ReadAnswer([]byte(text)); refusal == nil || refusal.Status != 400 {
			t.Errorf("%s was read as %+v (%v)", text, claim, refusal)
		}
	}
}
