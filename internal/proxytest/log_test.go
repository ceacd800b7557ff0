package proxytest

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestLogLine_HasMembersWithinMembers(t *testing.T) {
	line := logLine{}
	text := `{"status":200,"error":"x","tries":[{"endpoint":"http://a","status":503},{"error":"endpoint_closed"}]}`
	if err := json.Unmarshal([]byte(text), &line.members); err != nil {
		t.Fatal(err)
	}
	for want, has := range map[string]bool{
		"status=200 error=x":                       true,
		"status=* queued_ms=-":                     true,
		"tries.0.status=503 tries.0.error=-":       true,
		"tries.1.error=endpoint_closed":            true,
		"tries.0.endpoint=http://a tries.2=-":      true,
		"status=404":                               false,
		"queued_ms=*":                              false,
		"tries=-":                                  false,
		"tries.1.endpoint=*":                       false,
		"status=200 tries.first.status=503":        false,
		"status.code=- tries.-1=- tries.0.error=-": true,
	} {
		if got := line.has(strings.Fields(want)); got != has {
			t.Errorf("a line like %q is found: %v, want %v", want, got, has)
		}
	}
}
