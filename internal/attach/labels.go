package attach

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A worker has at most so many labels, and so many bytes of names and values in
// all, not counting how they are encoded.
const (
	maxLabels     = 32
	maxLabelBytes = 1024
)

// parseLabels reads name=value pairs that are separated by commas, both sides
// percent-encoded. White space around a comma is left out.
func parseLabels(text string) (labels map[string]string, wrong string) {
	labels = map[string]string{}
	place := 0
	for pair := range strings.SplitSeq(text, ",") {
		if place++; place > maxLabels {
			return nil, tooManyLabels
		}
		name, value, wrong := parseLabel(strings.Trim(pair, " \t"))
		if wrong == "" {
			if _, known := labels[name]; known {
				wrong = "repeats a name"
			}
		}
		if wrong != "" {
			return nil, fmt.Sprintf("%s, in label %d", wrong, place)
		}
		labels[name] = value
	}
	if wrong := badLabels(labels); wrong != "" {
		return nil, wrong
	}
	return labels, ""
}

var (
	tooManyLabels   = fmt.Sprintf("has more than %d labels", maxLabels)
	tooLargeLabels  = fmt.Sprintf("has more than %d bytes of names and values", maxLabelBytes)
	badLabelName    = "has a name that is empty or not visible ASCII"
	badLabelValue   = "has a value with control characters, or that is not UTF-8"
	badLabelForm    = "is not name=value"
	badLabelPercent = "has a percent sign without two hexadecimal digits after it"
)

func parseLabel(pair string) (name, value, wrong string) {
	name, value, found := strings.Cut(pair, "=")
	if !found || strings.Contains(value, "=") {
		return "", "", badLabelForm
	}
	name, okName := percentDecode(name)
	value, okValue := percentDecode(value)
	if !okName || !okValue {
		return "", "", badLabelPercent
	}
	return name, value, badLabel(name, value)
}

// badLabels tells what is wrong with labels, or nothing.
func badLabels(labels map[string]string) string {
	if len(labels) > maxLabels {
		return tooManyLabels
	}
	size := 0
	for name, value := range labels {
		if wrong := badLabel(name, value); wrong != "" {
			return wrong
		}
		size += len(name) + len(value)
	}
	if size > maxLabelBytes {
		return tooLargeLabels
	}
	return ""
}

func badLabel(name, value string) string {
	if !isVisible(name) {
		return badLabelName
	}
	if !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl) {
		return badLabelValue
	}
	return ""
}

// isVisible reports whether a text is visible ASCII, one character at least.
func isVisible(text string) bool {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' {
			return false
		}
	}
	return text != ""
}

// percentDecode decodes every %XX, and leaves everything else as it is.
func percentDecode(text string) (decoded string, ok bool) {
	if strings.IndexByte(text, '%') < 0 {
		return text, true
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '%' {
			if i+2 >= len(text) {
				return "", false
			}
			high, low := hexValue(text[i+1]), hexValue(text[i+2])
			if high < 0 || low < 0 {
				return "", false
			}
			c = byte(high<<4 | low)
			i += 2
		}
		out = append(out, c)
	}
	return string(out), true
}

func hexValue(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
