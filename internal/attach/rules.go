package attach

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
)

// Rules say who may attach and serve what. Services are patterns:
//
//	web        the service web without a version
//	shop@v2    one version of shop
//	shop@*     every version of shop, and shop without one
//	*          everything
type Rules struct {
	Tokens       []Token
	Certificates []Certificate
	// Anonymous lets workers in without token and certificate, to any service,
	// over clear text from this machine.
	Anonymous bool
}

// A Token is a secret that workers send, and what it lets them serve.
type Token struct {
	Secret   string
	Services []string
}

// A Certificate is a name that workers prove to have (a DNS name or a URI among
// the subject alternative names of their certificate), and what it lets them
// serve. Case does not count in DNS names.
type Certificate struct {
	SAN      string
	Services []string
}

// Check reports everything that is wrong with the rules.
func (r Rules) Check() error {
	var wrong []error
	for i, t := range r.Tokens {
		place := fmt.Sprintf("tokens[%d]", i)
		if !isVisible(t.Secret) {
			wrong = append(wrong, fmt.Errorf("%s: a token is visible ASCII without spaces, and not empty", place))
		}
		wrong = append(wrong, checkPatterns(t.Services, place))
	}
	for i, c := range r.Certificates {
		place := fmt.Sprintf("certificates[%d]", i)
		if !isVisible(c.SAN) {
			wrong = append(wrong, fmt.Errorf("%s: san is not a name", place))
		}
		wrong = append(wrong, checkPatterns(c.Services, place))
	}
	return errors.Join(wrong...)
}

func checkPatterns(patterns []string, place string) error {
	var wrong []error
	for i, p := range patterns {
		if err := CheckPattern(p); err != nil {
			wrong = append(wrong, fmt.Errorf("%s.services[%d]: %w", place, i, err))
		}
	}
	return errors.Join(wrong...)
}

// A Shown is what somebody shows to be let in. A token, if there is one, decides
// over a certificate.
type Shown struct {
	// Token is that of the Authorization field; empty if there was none.
	Token string
	// Certificate is the client's, verified; nil if there was none.
	Certificate *x509.Certificate
	// Local says that the connection is clear text from this machine, on a
	// listener that is for workers alone.
	Local bool
}

func (s Shown) proof() proof {
	p := proof{certificate: s.Certificate, local: s.Local, hasToken: s.Token != ""}
	if p.hasToken {
		p.token = digestOf(s.Token)
	}
	return p
}

// Authorize returns the claim as an identity if what is shown allows it, else a
// refusal with status 401 or 403. The rules have passed Check.
func (r Rules) Authorize(claim Claim, shown Shown) (Identity, *Refusal) {
	return newRuleset(r).authorize(claim, shown.proof())
}

// sanOf reports whether a certificate has the name.
func sanOf(certificate *x509.Certificate, san string) bool {
	for _, name := range certificate.DNSNames {
		if strings.EqualFold(name, san) {
			return true
		}
	}
	for _, uri := range certificate.URIs {
		if uri.String() == san {
			return true
		}
	}
	return false
}
