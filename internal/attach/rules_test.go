package attach

import (
	"crypto/x509"
	"net/http"
	"strings"
	"testing"
)

func TestPattern_MatchesWhatItNames(t *testing.T) {
	for _, c := range []struct {
		pattern, service, version string
		want                      bool
	}{
		{"web", "web", "", true},
		{"web", "web", "v1", false},
		{"web", "webx", "", false},
		{"web", "we", "", false},
		{"shop@*", "shop", "v1", true},
		{"shop@*", "shop", "", true},
		{"shop@*", "shopping", "v1", false},
		{"shop@v2", "shop", "v2", true},
		{"shop@v2", "shop", "v20", false},
		{"shop@v2", "shop", "", false},
		{"*", "anything", "v9", true},
	} {
		if got := matches(c.pattern, c.service, c.version); got != c.want {
			t.Errorf("whether %q has service %q in version %q is %v", c.pattern, c.service, c.version, got)
		}
	}
}

func TestRules_CheckSaysWhereItIsWrong(t *testing.T) {
	rules := Rules{
		Tokens:       []Token{{Secret: "ok", Services: []string{"web", "sh*p"}}, {Secret: ""}, {Secret: "two words"}},
		Certificates: []Certificate{{SAN: "w.example.com", Services: []string{"@v1", "shop@"}}, {}},
	}
	err := rules.Check()
	if err == nil {
		t.Fatal("rules that are wrong in many places were taken")
	}
	for _, want := range []string{
		"tokens[0].services[1]", "tokens[1]: ", "tokens[2]: ",
		"certificates[0].services[0]", "certificates[0].services[1]", "certificates[1]: ",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "two words") {
		t.Errorf("the error has a secret in it: %v", err)
	}
}

func TestAuthorize_DecidesByWhatIsShown(t *testing.T) {
	rules := Rules{
		Tokens:       []Token{{"alpha", []string{"web"}}, {"beta", []string{"shop@*"}}, {"alpha", []string{"shop@v1"}}},
		Certificates: []Certificate{{"W.example.com", []string{"web", "api@v2"}}},
	}
	certificate := &x509.Certificate{DNSNames: []string{"w.example.com"}}
	stranger := &x509.Certificate{DNSNames: []string{"x.w.example.com"}}
	for _, c := range []struct {
		what             string
		service, version string
		shown            Shown
		status           int
		credential       string
	}{
		{"the token's own service", "web", "", Shown{Token: "alpha"}, 0, "tokens[0]"},
		{"the second entry of a token", "shop", "v1", Shown{Token: "alpha"}, 0, "tokens[2]"},
		{"another token's service", "shop", "v2", Shown{Token: "alpha"}, 403, ""},
		{"a token that is longer", "web", "", Shown{Token: "alphax"}, 401, ""},
		{"a token that is shorter", "web", "", Shown{Token: "alph"}, 401, ""},
		{"nothing", "web", "", Shown{}, 401, ""},
		{"nothing, from this machine, with rules for others", "web", "", Shown{Local: true}, 401, ""},
		{"a certificate", "web", "", Shown{Certificate: certificate}, 0, "certificate W.example.com"},
		{"a certificate of another name", "web", "", Shown{Certificate: stranger}, 401, ""},
		{"a wrong token beside a right certificate", "web", "", Shown{Token: "x", Certificate: certificate}, 401, ""},
		{"a certificate for another service", "shop", "v1", Shown{Certificate: certificate}, 403, ""},
	} {
		id, refusal := rules.Authorize(Claim{Service: c.service, Version: c.version, Weight: 1}, c.shown)
		switch {
		case c.status == 0 && refusal != nil:
			t.Errorf("with %s, a worker was refused: %v", c.what, refusal)
		case c.status == 0 && id.Credential != c.credential:
			t.Errorf("with %s, the credential is %q, not %q", c.what, id.Credential, c.credential)
		case c.status != 0 && (refusal == nil || refusal.Status != c.status):
			t.Errorf("with %s, the refusal is %v, not a %d", c.what, refusal, c.status)
		}
	}
}

func TestAuthorize_LetsNobodyInByDefault(t *testing.T) {
	for _, shown := range []Shown{{}, {Local: true}, {Token: "x"}, {Certificate: &x509.Certificate{DNSNames: []string{"a"}}}} {
		if id, refusal := (Rules{}).Authorize(Claim{Service: "web"}, shown); refusal == nil || refusal.Status != http.StatusUnauthorized {
			t.Errorf("rules that name nobody let %+v in as %+v (%v)", shown, id, refusal)
		}
	}
}

func TestScope_IsOfTheCredentialWhereverItStands(t *testing.T) {
	all := []string{"*"}
	before := Rules{Tokens: []Token{{"a", all}, {"b", all}}}
	after := Rules{Tokens: []Token{{"b", all}, {"a", all}}}
	a1, _ := before.Authorize(Claim{Service: "web"}, Shown{Token: "a"})
	a2, _ := after.Authorize(Claim{Service: "web"}, Shown{Token: "a"})
	b2, _ := after.Authorize(Claim{Service: "web"}, Shown{Token: "b"})
	if a1.Scope == "" || a1.Scope != a2.Scope {
		t.Errorf("the scope of a token is %q in its first place and %q in its second", a1.Scope, a2.Scope)
	}
	if a1.Credential != b2.Credential || a1.Scope == b2.Scope {
		t.Errorf("two tokens that stood in one place, one after the other, have the scope %q", b2.Scope)
	}
}
