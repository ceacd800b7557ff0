package attach

import (
	"fmt"
	"strings"
)

// maxName bounds names; they become labels of metrics.
const maxName = 128

const nameChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."

// badName tells what is wrong with a name, or nothing. The names that workers
// give are those that the configuration allows for services: one plain segment
// of a URL, without what routes give a meaning to.
func badName(name string) string {
	switch {
	case name == "":
		return "is empty"
	case len(name) > maxName:
		return fmt.Sprintf("has more than %d characters", maxName)
	case !onlyOf(name, nameChars):
		return "has other characters than letters, digits, . _ and -"
	case strings.Trim(name, ".") == "":
		return "is nothing but dots"
	}
	return ""
}

func onlyOf(text, chars string) bool {
	for i := range len(text) {
		if strings.IndexByte(chars, text[i]) < 0 {
			return false
		}
	}
	return true
}
