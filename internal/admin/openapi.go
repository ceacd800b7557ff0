package admin

import (
	_ "embed"
	"net/http"
)

// openAPI describes the whole API, also what a proxy has not been given. It is
// written by hand, and held to the routes and their answers by tests.
//
//go:embed openapi.json
var openAPI []byte

func serveOpenAPI(w http.ResponseWriter, _ *http.Request, _ []string) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(openAPI)
}
