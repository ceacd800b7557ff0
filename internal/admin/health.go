package admin

import (
	"io"
	"net/http"
	"strings"
)

// healthRoutes answer orchestrators: /healthz while the process lives, /readyz
// while it should be sent requests.
func healthRoutes(notReady func() []string) []route {
	return []route{
		{"/healthz", methods{http.MethodGet: func(w http.ResponseWriter, _ *http.Request, _ []string) {
			writeOK(w)
		}}},
		{"/readyz", methods{http.MethodGet: func(w http.ResponseWriter, _ *http.Request, _ []string) {
			if notReady == nil {
				writeOK(w)
				return
			}
			reasons := notReady()
			if len(reasons) == 0 {
				writeOK(w)
				return
			}
			writeProblem(w, problem{
				Status: http.StatusServiceUnavailable, Error: "not_ready",
				Detail: strings.Join(reasons, "; "), Reasons: reasons,
			})
		}}},
	}
}

func writeOK(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "ok\n")
}
