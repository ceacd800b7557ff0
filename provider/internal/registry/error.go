package registry

import "regexp"

var ourPort = regexp.MustCompile(`\S+:\d+->`)

// WithoutOurPort leaves our own side of a connection out of an error, which is another
// one every time: the same outage reads the same.
func WithoutOurPort(text string) string { return ourPort.ReplaceAllString(text, "") }
