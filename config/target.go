package config

import (
	"errors"
	"strings"
)

// A Target is what [Route.Service] names: a service, and maybe a version of it.
type Target struct {
	Service, Version TargetName // Version is zero if there is none
}

// A TargetName is a name, or the capture of a path that has it.
type TargetName struct {
	// Text is the name, or the name of the capture, without braces.
	Text    string
	Capture bool
}

// IsTemplate tells whether t depends on the path of a request.
func (t Target) IsTemplate() bool { return t.Service.Capture || t.Version.Capture }

// ParseTarget reads the written form: name, name@version, and {capture} in place
// of either or both.
func ParseTarget(s string) (Target, error) {
	name, version, versioned := strings.Cut(s, "@")
	var t Target
	var message string
	if t.Service, message = targetName(name, badName); message == "" && versioned {
		t.Version, message = targetName(version, badVersion)
	}
	if message != "" {
		return Target{}, errors.New(quote(s) + " is neither a service, as in web or shop@v2, nor has it captures as {service}, {service}@{version}, shop@{version} or {service}@v2 do: " + message)
	}
	return t, nil
}

func targetName(text string, bad func(string) string) (TargetName, string) {
	inner, opened := strings.CutPrefix(text, "{")
	inner, closed := strings.CutSuffix(inner, "}")
	if !opened && !closed {
		return TargetName{Text: text}, bad(text)
	}
	if !opened || !closed || !variableName.MatchString(inner) {
		return TargetName{}, quote(text) + " is not a capture such as {name}"
	}
	return TargetName{Text: inner, Capture: true}, ""
}

// captures lists those of the path of a match, in order.
func captures(path string) (names []string) {
	for segment := range strings.SplitSeq(path, "/") {
		if inner, ok := strings.CutPrefix(segment, "{"); ok {
			names = append(names, strings.TrimSuffix(inner, "}"))
		}
	}
	return names
}
