package config

import (
	"strings"
	"testing"
)

// sample is a token that the tests below look for in what is printed.
const sample = "s3cret-s3cret-s3cret"

func TestParse_QuotesNoSecretBesideAProblem(t *testing.T) {
	for what, text := range map[string]string{
		"a problem of its own":      "attach: { tokens: [{ token: 's3cret-s3cret-s3cret ', services: [a] }] }",
		"a problem before it":       "attach: { tokens: [{ nonsense: 1, token: s3cret-s3cret-s3cret, services: [a] }] }",
		"a problem after it":        "attach: { tokens: [{ token: s3cret-s3cret-s3cret, services: ['a@'] }] }",
		"the same word as its key":  "attach: { tokens: [{ services: ['a@'], token: s3cret-s3cret-s3cret }] }",
		"an escape in it":           `attach: { tokens: [{ token: "\x73\u0033cret-s3cret-s3cret", services: ['a@'] }] }`,
		"an anchor":                 "attach: { tokens: [{ token: &t s3cret-s3cret-s3cret, services: ['a@'] }, { token: *t, services: [a] }] }",
		"a default":                 `attach: { tokens: [{ token: "${NOT_SET:-s3cret-s3cret-s3cret}", services: ['a@'] }] }`,
		"a reference beside it":     `attach: { tokens: [{ token: "${TOKEN}s3cret-s3cret-s3cret", services: ['a@'] }] }`,
		"wide characters before it": "attach: { tokens: [{ services: ['ü€@'], token: s3cret-s3cret-s3cret }] }",
		"the admin's":               "admin: { token: s3cret-s3cret-s3cret, hosts: ['a b'] }",
		"a cookie's":                "services: { web: { sticky: { secret: s3cret-s3cret-s3cret, cookie: 'a b' } } }",
	} {
		_, _, problems := parse(t, text)
		if len(problems) == 0 {
			t.Errorf("%s: there is no problem", what)
			continue
		}
		said := problems.Error()
		if strings.Contains(said, "cret-s3cret") || !strings.Contains(said, "***") {
			t.Errorf("%s: it says\n%s", what, said)
		}
	}
}

func TestParse_QuotesNoSecretBesideAWarning(t *testing.T) {
	c, warnings, problems := parse(t, "services: { web: { sticky: { cookie: c, secret: "+sample+" }, tls: { insecure_skip_verify: true }, endpoints: ['https://a'] } }")
	if len(problems) > 0 || len(warnings) != 1 {
		t.Fatalf("got problems %v and warnings %v, want one warning", problems, warnings)
	}
	for what, said := range map[string]string{"the warning": warnings.Error(), "a later problem": c.At("services.web.tls", "is wrong").Error()} {
		if strings.Contains(said, sample) || !strings.Contains(said, "secret: "+strings.Repeat("*", len(sample))+" }") {
			t.Errorf("%s says\n%s", what, said)
		}
	}
	if c.Services["web"].Sticky.Secret != sample {
		t.Errorf("the secret itself is %q", c.Services["web"].Sticky.Secret)
	}
}

func TestParse_QuotesAReferenceToASecretAsItIs(t *testing.T) {
	_, _, problems := parse(t, `attach: { tokens: [{ token: "${LONG_TOKEN}", services: ['a@'] }] }`)
	if said := problems.Error(); !strings.Contains(said, "${LONG_TOKEN}") || strings.Contains(said, "open-sesame") {
		t.Errorf("it says\n%s", said)
	}
}
