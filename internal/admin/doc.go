// Package admin is the listener for whoever runs the proxy: metrics, health, the
// API to look at services and to change who serves them, and a page that shows them.
//
// It knows nothing of the proxy. What it shows comes through [Options], as
// functions and small interfaces, and what it changes goes through [Endpoints].
//
// A request passes, in order: the security fields of every answer, the gate (who
// may ask at all, see [Options.Token]), and the table of routes. Only /healthz
// and /readyz stand before the gate, since orchestrators have no credentials.
//
// openapi.json describes the API for programs, and is held to what is answered;
// docs/reference/admin-api.md is what users read.
package admin
