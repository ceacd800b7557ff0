package admin

import (
	"context"
	"errors"
	"net/http"
)

// Reload reads the configuration again and has the proxy go by it, whole or not at
// all. warnings are what is legal and unwise in it. An error means that everything
// is as it was; it may be, or wrap, a *ReloadError. It may be called concurrently.
type Reload func(context.Context) (warnings []string, err error)

// A Problem is one thing that is wrong in a configuration, placed in its file.
type Problem struct {
	// File is empty for what was not read from a file.
	File string `json:"file,omitempty"`
	// Line and Column count from 1; 0 if there is no file.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// Path leads to the value, as in services.web.endpoints[0].url.
	Path    string `json:"path,omitempty"`
	Message string `json:"message"`
	// SourceLine is the line as it stands in the file, without secrets.
	SourceLine string `json:"source_line,omitempty"`
}

// A ReloadError is why a configuration was not taken over.
type ReloadError struct {
	// Problems are all of them, as far as they have a place.
	Problems []Problem
	// Err is all of it as one error.
	Err error
}

// Error implements error.
func (e *ReloadError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *ReloadError) Unwrap() error { return e.Err }

// serveReload tells whoever asked what is wrong; so it hides nothing of an error.
func serveReload(reload Reload) handler {
	return func(w http.ResponseWriter, r *http.Request, _ []string) {
		if reload == nil {
			writeRefusal(w, &Refusal{
				http.StatusConflict, "nothing_to_reload",
				"This proxy was started without a configuration file.",
			})
			return
		}
		warnings, err := reload(r.Context())
		if err != nil {
			writeReloadError(w, err)
			return
		}
		writeJSON(w, struct {
			Reloaded bool     `json:"reloaded"`
			Warnings []string `json:"warnings"`
		}{true, append([]string{}, warnings...)}) // [] rather than null
	}
}

func writeReloadError(w http.ResponseWriter, err error) {
	if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
		writeRefusal(w, refusal)
		return
	}
	p := problem{Status: http.StatusUnprocessableEntity, Error: "bad_configuration", Detail: err.Error()}
	if placed := (*ReloadError)(nil); errors.As(err, &placed) {
		p.Problems = placed.Problems
	}
	writeProblem(w, p)
}
