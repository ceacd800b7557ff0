package admin

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A drained has what it was told, of one endpoint.
type drained struct{ told []string }

func (d *drained) Drain(service, endpoint string, on bool) bool {
	if service != "web" || endpoint != "http://a/x" {
		return false
	}
	if on {
		d.told = append(d.told, "drain")
	} else {
		d.told = append(d.told, "undo")
	}
	return true
}

func TestDrain_BeginsAndIsCalledOff(t *testing.T) {
	d := new(drained)
	h := New(Options{Loopback: true, Drains: d})
	ask := func(method, path, media string) (int, string) {
		r := httptest.NewRequest(method, "http://localhost"+path, nil)
		r.Header.Set("Content-Type", media)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	const path = "/v1/services/web/endpoints/http:%2F%2Fa%2Fx/drain"
	for _, tc := range []struct {
		method, path, media string
		status              int
		says                string
	}{
		{http.MethodPost, path, "application/json", 200, `"draining": true`},
		{http.MethodDelete, path, "application/json", 200, `"draining": false`},
		{http.MethodPost, path, "text/plain", 415, "json_required"},
		{http.MethodPost, strings.Replace(path, "web", "shop", 1), "application/json", 404, "unknown_endpoint"},
		{http.MethodGet, path, "", 405, "method_not_allowed"},
	} {
		if status, body := ask(tc.method, tc.path, tc.media); status != tc.status || !strings.Contains(body, tc.says) {
			t.Errorf("%s %s answers %d %s, want %d and %s", tc.method, tc.path, status, body, tc.status, tc.says)
		}
	}
	if got := strings.Join(d.told, " "); got != "drain undo" {
		t.Errorf("the endpoint was told %q, want drain undo", got)
	}
}
