package attach

import (
	"fmt"
	"strings"
)

// CheckPattern reports what is wrong with a pattern of services; see [Rules].
func CheckPattern(pattern string) error {
	if pattern == "*" {
		return nil
	}
	service, version, versioned := strings.Cut(pattern, "@")
	if wrong := badName(service); wrong != "" {
		return fmt.Errorf("the service of %q %s", pattern, wrong)
	}
	if !versioned || version == "*" {
		return nil
	}
	if wrong := badName(version); wrong != "" {
		return fmt.Errorf("the version of %q %s", pattern, wrong)
	}
	return nil
}

// matches reports whether the pattern has the service in that version.
func matches(pattern, service, version string) bool {
	if pattern == "*" {
		return true
	}
	s, v, versioned := strings.Cut(pattern, "@")
	switch {
	case s != service:
		return false
	case !versioned:
		return version == ""
	default:
		return v == "*" || v == version
	}
}

// named returns the first service that a list of patterns names in full: that is
// what somebody serves who cannot say what it serves.
func named(patterns []string) (service, version string, ok bool) {
	for _, p := range patterns {
		if !strings.Contains(p, "*") {
			service, version, _ = strings.Cut(p, "@")
			return service, version, true
		}
	}
	return "", "", false
}
