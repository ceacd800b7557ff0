package worker

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Routers take at most so many labels, and so many bytes of names and values.
const (
	maxLabels     = 32
	maxLabelBytes = 1024
)

func checkLabels(labels map[string]string) error {
	if len(labels) > maxLabels {
		return fmt.Errorf("are %d; at most %d are taken", len(labels), maxLabels)
	}
	size := 0
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		value := labels[name]
		size += len(name) + len(value)
		switch {
		case !isVisible(name):
			return fmt.Errorf("have the name %q, which is not visible ASCII", name)
		case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
			return fmt.Errorf("have a value of %q with control characters, or that is not UTF-8", name)
		}
	}
	if size > maxLabelBytes {
		return fmt.Errorf("have %d bytes of names and values; at most %d are taken", size, maxLabelBytes)
	}
	return nil
}

// encodeLabels writes labels as the field Weir-Labels has them: name=value pairs,
// separated by commas, both sides percent-encoded.
func encodeLabels(labels map[string]string) string {
	var b strings.Builder
	for i, name := range slices.Sorted(maps.Keys(labels)) {
		if i > 0 {
			b.WriteByte(',')
		}
		percentEncode(&b, name)
		b.WriteByte('=')
		percentEncode(&b, labels[name])
	}
	return b.String()
}

// percentEncode leaves alone what is unreserved (RFC 3986 §2.3).
func percentEncode(b *strings.Builder, text string) {
	const digits = "0123456789ABCDEF"
	for i := range len(text) {
		c := text[i]
		if strings.IndexByte(nameChars, c) >= 0 || c == '~' {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'%', digits[c>>4], digits[c&15]})
	}
}
