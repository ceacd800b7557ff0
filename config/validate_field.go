package config

import (
	"slices"
	"strings"
)

// isToken tells whether s is a token of RFC 9110, section 5.6.2: the form of
// field names and methods.
func isToken(s string) bool {
	return s != "" && onlyOf(s, keyChars+"!#$%&'*+.^`|~")
}

// field checks the name and the value of a header field.
func (c *checker) field(name, value, path string) {
	if !isToken(name) {
		c.addAtKey(path, "%s is not a field name", quote(name))
	}
	if message := badFieldValue(value); message != "" {
		c.add(path, "%s", message)
	}
}

// badFieldValue follows RFC 9110, section 5.5. A line break would let a value
// become a field of its own.
func badFieldValue(value string) string {
	for i := range len(value) {
		if b := value[i]; b < ' ' && b != '\t' || b == 0x7f {
			return "a field value has no line breaks and no control characters"
		}
	}
	if value != strings.Trim(value, " \t") {
		return "a field value has no spaces around it; they would not arrive"
	}
	return ""
}

// proxyFields are the proxy's own to write: they frame the message or concern
// one connection only (RFC 9110, section 7.6.1).
var proxyFields = map[string]string{
	"connection":        "it concerns one connection only",
	"keep-alive":        "it concerns one connection only",
	"proxy-connection":  "it concerns one connection only",
	"te":                "it concerns one connection only",
	"upgrade":           "it concerns one connection only",
	"trailer":           "it frames the body",
	"transfer-encoding": "it frames the body",
	"content-length":    "it frames the body",
	"expect":            "it concerns one exchange only",
	"host":              "write host: in the service",
}

// endpointFields checks the fields that requests to an endpoint are given.
func (c *checker) endpointFields(fields Fields, path string) {
	for i, f := range fields {
		below := joinKey(path, f.Name)
		if why, ok := proxyFields[strings.ToLower(f.Name)]; ok {
			c.addAtKey(below, "%s cannot be set here: %s", f.Name, why)
		}
		same := func(o Field) bool { return strings.EqualFold(o.Name, f.Name) }
		if j := slices.IndexFunc(fields[:i], same); j >= 0 {
			c.addAtKey(below, "is the same field as %s; names are compared without case", fields[j].Name)
		}
		c.field(f.Name, f.Value, below)
	}
}
