package admin

import "net/http"

// serveStatus tells in one answer what the proxy is, and whether it should be sent
// requests.
func serveStatus(options Options) handler {
	return func(w http.ResponseWriter, _ *http.Request, _ []string) {
		reasons := []string{} // [] rather than null
		if options.NotReady != nil {
			reasons = append(reasons, options.NotReady()...)
		}
		writeJSON(w, struct {
			Version string   `json:"version"`
			Ready   bool     `json:"ready"`
			Reasons []string `json:"reasons"`
		}{options.Version, len(reasons) == 0, reasons})
	}
}

// serveConfig shows the configuration in force.
func serveConfig(config func() any) handler {
	return func(w http.ResponseWriter, _ *http.Request, _ []string) { writeJSON(w, config()) }
}
