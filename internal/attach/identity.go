package attach

import (
	"crypto/x509"
	"fmt"
	"strconv"

	"github.com/weirproxy/weir/internal/exchange"
)

// DefaultService is the service of a worker that names none.
const DefaultService = "default"

// MaxWeight is the greatest weight of a worker; the least is 1.
const MaxWeight = 1000

// An Identity is who a worker is. Names are those that the configuration allows
// for services.
type Identity struct {
	// Service is what it serves, Version which version of it; the version may be
	// empty.
	Service, Version string
	// Instance tells it from others with the same Scope. Several connections may
	// be of one instance.
	Instance string
	// Weight is its share of the requests, relative to that of others: 1 to 1000.
	Weight int
	// Zone is where it stands; may be empty.
	Zone string
	// Labels are further attributes; may be nil. Whoever changes them changes a
	// copy.
	Labels map[string]string
	// Credential says what it was let in by, for people: the place of its token
	// in the rules, its certificate's name, or "anonymous". Never the secret.
	Credential string
	// Scope is equal for workers with the same token, or with certificates of the
	// same name, and for no others, as long as the process lives: Credential is
	// not, for a token's place may change.
	Scope string

	proof proof
}

// A proof is what a worker showed, kept to look at it again under other rules.
type proof struct {
	token       digest
	hasToken    bool
	certificate *x509.Certificate // verified; nil if there was none
	local       bool              // may be let in without either
}

// Claim is what a worker says of itself, before it is believed: an identity with
// neither Credential nor Scope.
type Claim = Identity

// readClaim reads the Weir fields of a request.
func readClaim(header exchange.Header) (Claim, *Refusal) {
	claim := Claim{Service: DefaultService, Weight: 1}
	for _, f := range []struct {
		name string
		set  func(value string) string
	}{
		{"Weir-Service", nameInto(&claim.Service)},
		{"Weir-Version", nameInto(&claim.Version)},
		{"Weir-Instance", nameInto(&claim.Instance)},
		{"Weir-Zone", nameInto(&claim.Zone)},
		{"Weir-Weight", func(value string) (wrong string) {
			claim.Weight, wrong = parseWeight(value)
			return wrong
		}},
		{"Weir-Labels", func(value string) (wrong string) {
			claim.Labels, wrong = parseLabels(value)
			return wrong
		}},
	} {
		value, present, wrong := sole(header, f.name)
		if wrong == "" && present {
			wrong = f.set(value)
		}
		if wrong != "" {
			return Claim{}, badAttach(f.name + " " + wrong)
		}
	}
	return claim, nil
}

// nameInto returns what checks a name and keeps it in place.
func nameInto(place *string) func(string) string {
	return func(value string) string {
		*place = value
		return badName(value)
	}
}

func parseWeight(text string) (weight int, wrong string) {
	weight, err := strconv.Atoi(text)
	if err != nil || !onlyOf(text, "0123456789") || text[0] == '0' || weight > MaxWeight {
		return 0, fmt.Sprintf("is not a number from 1 to %d", MaxWeight)
	}
	return weight, ""
}

// checkClaim checks what came in another form than fields, and sets the defaults
// of what it leaves out.
func checkClaim(c *Claim) *Refusal {
	if c.Service == "" {
		c.Service = DefaultService
	}
	if c.Weight == 0 {
		c.Weight = 1
	}
	for _, f := range []struct{ name, value string }{
		{"service", c.Service}, {"version", c.Version}, {"instance", c.Instance}, {"zone", c.Zone},
	} {
		if f.value == "" {
			continue
		}
		if wrong := badName(f.value); wrong != "" {
			return badAttach(f.name + " " + wrong)
		}
	}
	if c.Weight < 1 || c.Weight > MaxWeight {
		return badAttach(fmt.Sprintf("weight is not a number from 1 to %d", MaxWeight))
	}
	if wrong := badLabels(c.Labels); wrong != "" {
		return badAttach("labels " + wrong)
	}
	return nil
}
