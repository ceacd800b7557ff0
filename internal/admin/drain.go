package admin

import "net/http"

// Drains lets an endpoint finish what it has and gives it nothing new, or calls
// that off; false if there is no such endpoint. Drain may be called concurrently.
type Drains interface {
	Drain(service, endpoint string, on bool) bool
}

// drainRoute is for a proxy whose endpoints cannot be changed otherwise.
func drainRoute(drains Drains) route {
	return route{"/v1/services/{}/endpoints/{}/drain", methods{
		http.MethodPost:   serveDrain(drains, true),
		http.MethodDelete: serveDrain(drains, false),
	}}
}

// serveDrain begins the draining of an endpoint, or calls it off.
func serveDrain(drains Drains, on bool) handler {
	return func(w http.ResponseWriter, _ *http.Request, args []string) {
		service, endpoint := args[0], args[1]
		if !drains.Drain(service, endpoint, on) {
			writeRefusal(w, unknownEndpoint)
			return
		}
		writeDraining(w, service, endpoint, on)
	}
}

func writeDraining(w http.ResponseWriter, service, endpoint string, on bool) {
	writeJSON(w, struct {
		Service  string `json:"service"`
		Endpoint string `json:"endpoint"`
		Draining bool   `json:"draining"`
	}{service, redact(endpoint), on})
}
