package exchange

import "testing"

func TestParseMethod_KnowsMethodsByTheirExactName(t *testing.T) {
	for token, want := range map[string]Method{
		"GET": MethodGet, "HEAD": MethodHead, "POST": MethodPost, "PUT": MethodPut, "DELETE": MethodDelete,
		"OPTIONS": MethodOptions, "TRACE": MethodTrace, "PATCH": MethodPatch, "CONNECT": MethodConnect,
		"get": MethodOther, "PROPFIND": MethodOther, "": MethodOther, "GETX": MethodOther,
	} {
		if got := ParseMethod([]byte(token)); got != want {
			t.Errorf("ParseMethod(%q) = %d, want %d", token, got, want)
		}
	}
}

func TestMethod_IsIdempotentOnlyWhereTheRFCSaysSo(t *testing.T) {
	idempotent := map[Method]bool{MethodGet: true, MethodHead: true, MethodPut: true, MethodDelete: true, MethodOptions: true, MethodTrace: true}
	for m := MethodOther; m <= MethodConnect; m++ {
		if m.Idempotent() != idempotent[m] {
			t.Errorf("method %d is taken for idempotent: %t, want %t", m, m.Idempotent(), idempotent[m])
		}
	}
}

func TestHeader_FindsFieldsWhateverTheirCase(t *testing.T) {
	h := Header{{Name: []byte("X-A"), Value: []byte("1")}, {Name: []byte("x-a"), Value: []byte("2")}, {Name: []byte("Connection"), Value: []byte("close, Upgrade"), ID: FieldConnection}}
	if v, ok := h.Lookup("X-a"); !ok || string(v) != "1" {
		t.Errorf("Lookup finds %q, want the first line's value", v)
	}
	if _, ok := h.Lookup("x-b"); ok {
		t.Error("Lookup finds a field that is not there")
	}
	if v, ok := h.Get(FieldConnection); !ok || string(v) != "close, Upgrade" {
		t.Errorf("Get finds %q", v)
	}
	if !h.Lists(FieldConnection, "upgrade") || h.Lists(FieldConnection, "up") {
		t.Error("Lists does not compare whole items without regard to case")
	}
}

func TestEqualFold_FoldsOnlyASCIILetters(t *testing.T) {
	for _, tc := range []struct {
		a, b  string
		equal bool
	}{
		{"Host", "hOST", true},
		{"", "", true},
		{"a", "ab", false},
		{"k", "\u212a", false},
		{"[", "{", false},
		{"@", "`", false},
		{"é", "É", false},
	} {
		if got := EqualFold(tc.a, tc.b); got != tc.equal {
			t.Errorf("EqualFold(%q, %q) = %t, want %t", tc.a, tc.b, got, tc.equal)
		}
	}
}
