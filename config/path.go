package config

import (
	"strconv"
	"strings"
)

// joinKey appends a key to a path: services.web, or services["a.b"] if the key
// would be taken for something else.
func joinKey(path, key string) string {
	switch {
	case !standsAlone(key):
		return path + "[" + quote(key) + "]"
	case path == "":
		return key
	}
	return path + "." + key
}

// keyChars are those that need no quotes in a path.
const keyChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

// standsAlone reports whether a key has nothing but keyChars. It is asked about every
// key there is.
func standsAlone(key string) bool {
	for _, c := range []byte(key) {
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return key != ""
}

// joinIndex appends a place in a list to a path: endpoints[0].
func joinIndex(path string, i int) string {
	return path + "[" + strconv.Itoa(i) + "]"
}

// parentPath takes the last element off a path.
func parentPath(path string) string {
	if strings.HasSuffix(path, `"]`) {
		return path[:max(strings.LastIndex(path, `["`), 0)]
	}
	return path[:max(strings.LastIndexAny(path, ".["), 0)]
}
