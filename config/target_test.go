package config

import "testing"

func TestParseTarget_ReadsNamesAndCaptures(t *testing.T) {
	name := func(text string) TargetName { return TargetName{Text: text} }
	capture := func(text string) TargetName { return TargetName{Text: text, Capture: true} }
	for in, want := range map[string]Target{
		"web":                    {Service: name("web")},
		"shop@v2":                {name("shop"), name("v2")},
		"a.b_c-1@1.10":           {name("a.b_c-1"), name("1.10")},
		"{service}":              {Service: capture("service")},
		"{service}@{version}":    {capture("service"), capture("version")},
		"{a}@{a}":                {capture("a"), capture("a")},
		"shop@{version}":         {name("shop"), capture("version")},
		"{service}@canary":       {capture("service"), name("canary")},
		"{_service1}@{_version}": {capture("_service1"), capture("_version")},
	} {
		got, err := ParseTarget(in)
		if got != want || err != nil {
			t.Errorf("%s is %+v, want %+v (%v)", in, got, want, err)
		}
		if template := want.Service.Capture || want.Version.Capture; got.IsTemplate() != template {
			t.Errorf("%s is a template: %t, want %t", in, got.IsTemplate(), template)
		}
	}
}

func TestParseTarget_RefusesWhatIsNone(t *testing.T) {
	for _, in := range []string{
		"", "@", "web@", "@v1", "web@v@1", "{}", "{", "}", "{a", "a}", "x{a}", "{a}x", "{a}{b}", "{a}@{b}@{c}", "{a}@", "@{a}", "{a b}", "{1}",
		"{a}@x{b}", "web@*", "*", "..", "web@..", "we b", "{{a}}", "{a@b}",
	} {
		if got, err := ParseTarget(in); err == nil {
			t.Errorf("%q was read as %+v", in, got)
		}
	}
}
