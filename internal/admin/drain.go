package admin

import "net/http"

// Drains lets an endpoint finish what it has and gives it nothing new, or calls
// that off; false if there is no such endpoint. Drain may be called concurrently.
type Drains interface {
	Drain(service, endpoint string, on bool) bool
}

// serveDrain begins the draining of an endpoint, or calls it off.
func serveDrain(options Options, on bool) handler {
	return func(w http.ResponseWriter, _ *http.Request, args []string) {
		service, endpoint := args[0], args[1]
		if !options.Drains.Drain(service, endpoint, on) {
			writeProblem(w, problem{
				Status: http.StatusNotFound, Error: "unknown_endpoint",
				Detail: "There is no endpoint of that name in a service of that name.",
			})
			return
		}
		writeJSON(w, struct {
			Service  string `json:"service"`
			Endpoint string `json:"endpoint"`
			Draining bool   `json:"draining"`
		}{service, redact(endpoint), on})
	}
}
