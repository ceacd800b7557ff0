// Package admin is the listener for whoever runs the proxy: metrics, health, the
// API to look at services, and a page that shows them.
//
// It knows nothing of the proxy. What it shows comes through [Options], as
// functions and interfaces of one method.
//
// A request passes, in order: the security fields of every answer, the gate (who
// may ask at all, see [Options.Token]), and the table of routes. Only /healthz
// and /readyz stand before the gate, since orchestrators have no credentials.
//
// docs/reference/admin-api.md is what users read.
package admin
