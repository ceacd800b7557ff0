package admin

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// A problem is an error as RFC 9457 has it, with members like those of the
// proxy's own errors.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Error  string `json:"error"`
	Detail string `json:"detail,omitempty"`
	// Reasons are those of a proxy that is not ready.
	Reasons []string `json:"reasons,omitempty"`
	// Problems are those of a configuration that was not taken over.
	Problems []Problem `json:"problems,omitempty"`
}

func writeRefusal(w http.ResponseWriter, r *Refusal) {
	writeProblem(w, problem{Status: r.Status, Error: r.Code, Detail: r.Detail})
}

func writeProblem(w http.ResponseWriter, p problem) {
	p.Type, p.Title = "about:blank", http.StatusText(p.Status)
	write(w, p.Status, "application/problem+json", p)
}

func writeJSON(w http.ResponseWriter, value any) {
	write(w, http.StatusOK, "application/json", value)
}

func write(w http.ResponseWriter, status int, media string, value any) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body) // escapes <, > and &: harmless as HTML too
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", media)
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // a client that left is told nothing
}
