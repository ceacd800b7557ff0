package main

import (
	"fmt"
	"slices"
	"strings"
)

// addedFields are what every proxy must add to a request.
var addedFields = []string{"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-request-id"}

// unfairness lists what a proxy leaves out of the common work, judged by the requests that
// the endpoints see. No finding is fatal: it is printed beside the figures.
func (r *rig) unfairness(p *proxy) []string {
	first, err1 := r.fetch(p, "/echo")
	second, err2 := r.fetch(p, "/echo")
	if err1 != nil || err2 != nil {
		return []string{fmt.Sprintf("%s does not pass a request on: %v %v", p.title, err1, err2)}
	}
	return compareHeads(p.title, parseFields(first), parseFields(second))
}

func compareHeads(title string, first, second map[string]string) []string {
	var findings []string
	for _, name := range addedFields {
		if first[name] == "" {
			findings = append(findings, fmt.Sprintf("%s does not add %s", title, name))
		}
	}
	if id := first["x-request-id"]; id != "" && id == second["x-request-id"] {
		findings = append(findings, title+" gives two requests the same x-request-id")
	}
	for name := range first {
		known := slices.Contains(addedFields, name) || slices.Contains([]string{"host", "user-agent", "accept", "connection", "via"}, name)
		if !known {
			findings = append(findings, fmt.Sprintf("%s also adds %s", title, name))
		}
	}
	if first["via"] != "" {
		findings = append(findings, title+" also adds via")
	}
	slices.Sort(findings)
	return findings
}

// parseFields reads the fields of a request's head, by name in lower case.
func parseFields(head string) map[string]string {
	fields := map[string]string{}
	_, head, _ = strings.Cut(head, "\r\n")
	for line := range strings.SplitSeq(head, "\r\n") {
		if name, value, found := strings.Cut(line, ":"); found {
			fields[strings.ToLower(name)] = strings.TrimSpace(value)
		}
	}
	return fields
}
