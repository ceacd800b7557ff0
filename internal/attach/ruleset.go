package attach

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"slices"
)

// A digest stands for a token where the token itself should not lie about.
type digest [sha256.Size]byte

// digestKey makes digests worthless to other processes: nobody can try out
// tokens against one that was seen in a log.
var digestKey = func() (key [32]byte) {
	_, _ = rand.Read(key[:]) // never fails
	return key
}()

func digestOf(token string) (d digest) {
	h := hmac.New(sha256.New, digestKey[:])
	h.Write([]byte(token))
	h.Sum(d[:0])
	return d
}

// A ruleset is rules as they are looked up. It never changes.
type ruleset struct {
	Rules
	digests []digest // of the tokens
}

func newRuleset(r Rules) *ruleset {
	s := &ruleset{Rules: r, digests: make([]digest, len(r.Tokens))}
	for i, t := range r.Tokens {
		s.digests[i] = digestOf(t.Secret)
	}
	return s
}

// A grant is what one credential allows.
type grant struct {
	credential, scope string
	services          []string
}

func (g grant) allows(c Claim) bool {
	return slices.ContainsFunc(g.services, func(p string) bool { return matches(p, c.Service, c.Version) })
}

// authorize returns the claim as an identity, if one of the credentials that are
// proven allows it.
func (s *ruleset) authorize(claim Claim, p proof) (Identity, *Refusal) {
	grants, refusal := s.grants(p)
	if refusal != nil {
		return Identity{}, refusal
	}
	for _, g := range grants {
		if g.allows(claim) {
			return g.identify(claim, p), nil
		}
	}
	return Identity{}, forbidden(fmt.Sprintf("%s may not serve %s", grants[0].credential, fullName(claim)))
}

// identify makes an identity of a claim. The instance's name was checked, or is
// left for the caller to make up.
func (g grant) identify(claim Claim, p proof) Identity {
	id := claim
	id.Credential, id.Scope, id.proof = g.credential, g.scope, p
	return id
}

// keeps reports whether an identity may stay as it is.
func (s *ruleset) keeps(id Identity) bool {
	grants, _ := s.grants(id.proof)
	return slices.ContainsFunc(grants, func(g grant) bool { return g.scope == id.Scope && g.allows(id) })
}

// authorizeUnnamed is for those who cannot say what they serve: it is what their
// certificate's rule names first.
func (s *ruleset) authorizeUnnamed(p proof) (Identity, *Refusal) {
	p.hasToken, p.local = false, false
	grants, refusal := s.grants(p)
	if refusal != nil {
		return Identity{}, refusal
	}
	for _, g := range grants {
		if service, version, ok := named(g.services); ok {
			return g.identify(Claim{Service: service, Version: version, Weight: 1}, p), nil
		}
	}
	return Identity{}, forbidden(grants[0].credential + " names no service without *, so that it is not known which one this is")
}

// grants returns what the proof is good for: one at least, else a refusal.
func (s *ruleset) grants(p proof) ([]grant, *Refusal) {
	switch {
	case p.hasToken && len(s.Tokens) > 0:
		grants := s.tokenGrants(p.token)
		if len(grants) == 0 {
			return nil, unauthorized("the token is not known")
		}
		return grants, nil
	case p.certificate != nil:
		grants := s.certificateGrants(p)
		if len(grants) == 0 {
			return nil, unauthorized("no name of the certificate is known")
		}
		return grants, nil
	case p.local && s.Anonymous:
		return []grant{{credential: "anonymous", scope: "anonymous", services: []string{"*"}}}, nil
	case p.hasToken:
		return nil, unauthorized("the token is not known")
	default:
		return nil, unauthorized("a token or a client certificate is needed")
	}
}

// tokenGrants compares with every token, however many are equal, and in a time
// that does not depend on how much of one is right.
func (s *ruleset) tokenGrants(d digest) (grants []grant) {
	for i := range s.digests {
		if subtle.ConstantTimeCompare(s.digests[i][:], d[:]) == 1 {
			grants = append(grants, grant{
				credential: fmt.Sprintf("tokens[%d]", i),
				scope:      "token " + hex.EncodeToString(d[:8]),
				services:   s.Tokens[i].Services,
			})
		}
	}
	return grants
}

func (s *ruleset) certificateGrants(p proof) (grants []grant) {
	for _, c := range s.Certificates {
		if sanOf(p.certificate, c.SAN) {
			name := "certificate " + c.SAN
			grants = append(grants, grant{credential: name, scope: name, services: c.Services})
		}
	}
	return grants
}

// fullName is the service as it is written in rules.
func fullName(c Claim) string {
	if c.Version == "" {
		return c.Service
	}
	return c.Service + "@" + c.Version
}
