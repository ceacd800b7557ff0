package config

import "slices"

// logMembers are those that a line of the access log has anyway, in either format.
var logMembers = []string{
	"attempts", "client", "client_request_id", "duration_ms", "endpoint", "endpoint_index", "error", "event_id", "host",
	"listener", "method", "peer", "protocol", "queued", "queued_ms", "reason", "referer", "request_bytes",
	"response_bytes", "service", "status", "time", "tls", "trace_id", "traceparent", "tries", "uri", "user_agent",
}

// maxLogFields bounds the length of a line.
const maxLogFields = 64

func (c *checker) accessLog(l *AccessLog) {
	if l == nil {
		return
	}
	const path = "access_log.fields"
	if n := len(l.Fields); n > maxLogFields {
		c.add(path, "has %d fields; at most %d", n, maxLogFields)
	}
	c.notEmpty(l.Fields, path)
	for _, f := range l.Fields {
		below := joinKey(path, f.Name)
		switch {
		case badName(f.Name) != "":
			c.addAtKey(below, "%s", badName(f.Name))
		case slices.Contains(logMembers, f.Name):
			c.addAtKey(below, "each line has %s already; take another name", f.Name)
		}
	}
}
