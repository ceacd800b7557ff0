package admin

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

func TestReload_TellsWhatBecameOfIt(t *testing.T) {
	placed := &ReloadError{
		Problems: []Problem{{"weir.yaml", 5, 7, "services.web", "is wrong", "  web: no"}, {Message: "no place"}},
		Err:      errors.New("weir.yaml:5:7: is wrong"),
	}
	for _, tc := range []struct {
		warnings []string
		err      error
		status   int
		says     []string
	}{
		{nil, nil, 200, []string{`"reloaded": true`, `"warnings": []`}},
		{[]string{"w"}, nil, 200, []string{`"w"`}},
		{nil, errors.New("open weir.yaml: no such file"), 422, []string{"bad_configuration", "no such file"}},
		{nil, fmt.Errorf("reload: %w", placed), 422, []string{`"line": 5`, `"source_line": "  web: no"`, `"message": "no place"`, "is wrong"}},
		{nil, &Refusal{409, "nothing_to_reload", "no file"}, 409, []string{"nothing_to_reload"}},
	} {
		h := New(Options{Loopback: true, Reload: func(context.Context) ([]string, error) { return tc.warnings, tc.err }})
		for _, says := range tc.says {
			tell(h, "POST", "/v1/reload", "").wants(t, fmt.Sprintf("a reload with %v", tc.err), tc.status, says)
		}
	}
	tell(New(Options{Loopback: true}), "POST", "/v1/reload", "").wants(t, "a reload of nothing", 409, "nothing_to_reload")
	tell(New(Options{Loopback: true}), "GET", "/v1/reload", "").wants(t, "GET", 405, "method_not_allowed")
}

func TestConfig_IsWrittenAsItIs(t *testing.T) {
	h := New(Options{Loopback: true, Config: func() any { return map[string]any{"token": "xxxxx"} }})
	tell(h, "GET", "/v1/config", "").wants(t, "GET /v1/config", 200, `"token": "xxxxx"`)
	tell(New(Options{Loopback: true}), "GET", "/v1/config", "").wants(t, "without a configuration", 404, "not_found")
}

func TestStatus_TellsVersionAndReadiness(t *testing.T) {
	h := New(Options{Loopback: true, Version: "1.2.3"})
	tell(h, "GET", "/v1/status", "").wants(t, "ready", 200, `"ready": true`).wants(t, "ready", 200, `"reasons": []`)
	h = New(Options{Loopback: true, Version: "1.2.3", NotReady: func() []string { return []string{"starting"} }})
	tell(h, "GET", "/v1/status", "").wants(t, "starting", 200, `"ready": false`).wants(t, "starting", 200, `"starting"`).
		wants(t, "starting", 200, `"version": "1.2.3"`)
}
