package admin

import "net/http"

// Options are what an admin listener shows, and to whom.
type Options struct {
	// Token is what clients have to send (Authorization: Bearer). If empty,
	// only Loopback listeners answer.
	Token string
	// Loopback tells that nobody off this machine can connect, see [Loopback].
	// Without a Token, requests must then not come from a web page elsewhere:
	// their Host has to be loopback's or one of Hosts, and their Origin, if
	// any, the same.
	Loopback bool
	// Hosts are further values of Host that are let in, without a port.
	Hosts []string
	// Metrics answers /metrics. If nil, there is no such path.
	Metrics http.Handler
	// NotReady returns why the proxy should not be sent requests now, such as
	// "starting"; nothing means that it should. If nil, it is always ready.
	NotReady func() []string
	// Services tells what there is. If nil, there are none.
	Services Services
	// Events tells what changes. If nil, there is no such path.
	Events Events
	// Endpoints changes who serves a service. If nil, there are no such paths.
	Endpoints Endpoints
	// Config returns the configuration in force, to be written as JSON, without
	// its secrets. If nil, there is no such path.
	Config func() any
	// Reload reads the configuration again. If nil, there is nothing to read.
	Reload Reload
	// Verbose shows the text of endpoints' last errors, and the reasons of
	// events.
	Verbose bool
	// Version is shown on the page.
	Version string
}

// New returns the handler of an admin listener.
func New(options Options) http.Handler {
	return secure(table{
		routes: healthRoutes(options.NotReady),
		orElse: newGate(options, table{routes: guardedRoutes(options), orElse: http.HandlerFunc(serveNotFound)}),
	})
}

// guardedRoutes are those behind the gate.
func guardedRoutes(options Options) []route {
	list := []route{
		{"/", methods{http.MethodGet: servePage(options)}},
		{"/v1/status", methods{http.MethodGet: serveStatus(options)}},
		{"/v1/services", methods{http.MethodGet: serveServices(options)}},
		{"/v1/services/{}", methods{http.MethodGet: serveService(options)}},
		{"/v1/reload", methods{http.MethodPost: serveReload(options.Reload)}},
		{"/v1/openapi.json", methods{http.MethodGet: serveOpenAPI}},
	}
	if options.Metrics != nil {
		list = append(list, metricsRoute(options.Metrics))
	}
	if options.Events != nil {
		list = append(list, route{"/v1/events", methods{http.MethodGet: serveEvents(options)}})
	}
	if options.Config != nil {
		list = append(list, route{"/v1/config", methods{http.MethodGet: serveConfig(options.Config)}})
	}
	if options.Endpoints != nil {
		list = append(list, resource{options.Endpoints, newTagger(), options.Verbose}.routes()...)
	}
	return list
}

// MetricsOnly returns the handler of a listener for scrapers and orchestrators
// elsewhere: /metrics, /healthz and /readyz, open to whoever can connect.
func MetricsOnly(options Options) http.Handler {
	routes := healthRoutes(options.NotReady)
	if options.Metrics != nil {
		routes = append(routes, metricsRoute(options.Metrics))
	}
	return secure(table{routes: routes, orElse: http.HandlerFunc(serveNotFound)})
}
