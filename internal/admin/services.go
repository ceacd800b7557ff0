package admin

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Services tells what services there are now, in the order in which they are
// shown. What it returns is the caller's.
type Services interface {
	Services() []Service
}

// A Service is one service as it is now.
type Service struct {
	Name string `json:"name"`
	// Version is the part of Name after the @, if it is a version of a service.
	Version string `json:"version,omitempty"`
	// Strategy and Balance are how endpoints are tried and chosen.
	Strategy string `json:"strategy,omitempty"`
	Balance  string `json:"balance,omitempty"`
	// Concurrency is how many requests it may serve at a time; 0 is any number.
	Concurrency int `json:"concurrency,omitempty"`
	// InFlight counts the requests that it is serving, QueueWaiting those that
	// wait for an endpoint.
	InFlight     int `json:"in_flight,omitempty"`
	QueueWaiting int `json:"queue_waiting,omitempty"`
	// Split is how its requests are shared among its versions, as weights; nil if
	// they are not.
	Split map[string]int `json:"split,omitempty"`
	// Sources are those that announce its endpoints beside the configuration.
	Sources []Source `json:"sources,omitempty"`
	// Removed names the endpoints that somebody has taken out through this API,
	// whoever goes on announcing them.
	Removed   []string   `json:"removed,omitempty"`
	Endpoints []Endpoint `json:"endpoints"`
}

// A Source announces endpoints of a service: etcd, say.
type Source struct {
	Kind string `json:"kind"`
	// State is ok, failing (what was known last is kept), or starting.
	State string `json:"state"`
	// Error is why it fails; shown only when Options.Verbose.
	Error string `json:"error,omitempty"`
	// Since is from when on it has been in this state.
	Since time.Time `json:"since,omitzero"`
	// Endpoints counts those that it announces.
	Endpoints int `json:"endpoints"`
}

// An Endpoint is one endpoint as it is now.
type Endpoint struct {
	Name   string `json:"name"`
	URL    string `json:"url"`
	Weight int    `json:"weight"`
	// Source is who announced it: config, api, worker, or the kind of a source.
	// Version, Zone and Labels are what was said of it beyond that.
	Source  string            `json:"source,omitempty"`
	Version string            `json:"version,omitempty"`
	Zone    string            `json:"zone,omitempty"`
	Labels  map[string]string `json:"labels,omitempty"`
	// Up tells whether it would be given a request, Since from when on that
	// has been so. If zero, nobody knows.
	Up    bool      `json:"up"`
	Since time.Time `json:"since,omitzero"`
	// State is up, warming, resting, probing, unhealthy or draining. If empty,
	// nothing is known beyond Up.
	State string `json:"state,omitempty"`
	// Step counts the rests in a row, from 1, and Until is when this one ends.
	// They are zero if it is not resting.
	Step  int       `json:"step,omitempty"`
	Until time.Time `json:"until,omitzero"`
	// InFlight counts the requests that it is serving, Concurrency is how many
	// it may at a time; 0 is any number. Idle counts the connections that are
	// kept for the next.
	InFlight    int `json:"in_flight"`
	Concurrency int `json:"concurrency,omitempty"`
	Idle        int `json:"idle_connections"`
	// Requests counts what it was sent; nil if nobody counts. Failures counts the
	// tries that were held against it, Rests how often it was sent to rest.
	Requests *uint64 `json:"requests,omitempty"`
	Failures uint64  `json:"failures"`
	Rests    uint64  `json:"rests"`
	// Worker is what a worker that dialed in has said of itself; nil if it is none.
	Worker *Worker `json:"worker,omitempty"`
	// LastError is what went wrong last; shown only when Options.Verbose.
	LastError string `json:"last_error,omitempty"`
}

// A Worker is an endpoint that has dialed in.
type Worker struct {
	// Instance is what it calls itself, Version what it serves a version of.
	Instance string            `json:"instance"`
	Version  string            `json:"version,omitempty"`
	Zone     string            `json:"zone,omitempty"`
	Labels   map[string]string `json:"labels,omitempty"`
	// Credential is what it was let in by: the place of its token, or the name of
	// its certificate.
	Credential string `json:"credential"`
	// Remote is the address that its connection comes from; the latest one's, if it
	// has several. Door is how that came in: ptth, rh2 or rhttp.
	Remote string `json:"remote"`
	Door   string `json:"door"`
}

func serveServices(options Options) handler {
	return func(w http.ResponseWriter, _ *http.Request, _ []string) {
		writeJSON(w, struct {
			Services []Service `json:"services"`
		}{shown(options)})
	}
}

func serveService(options Options) handler {
	return func(w http.ResponseWriter, _ *http.Request, args []string) {
		for _, service := range shown(options) {
			if service.Name == args[0] {
				writeJSON(w, service)
				return
			}
		}
		writeProblem(w, problem{
			Status: http.StatusNotFound, Error: "unknown_service",
			Detail: "There is no service of that name.",
		})
	}
}

// shown returns the services without what is not for everybody who may ask.
func shown(options Options) []Service {
	if options.Services == nil {
		return []Service{}
	}
	services := slices.Clone(options.Services.Services())
	for i := range services {
		endpoints := append([]Endpoint{}, services[i].Endpoints...) // [] rather than null
		for j := range endpoints {
			e := &endpoints[j]
			e.Name, e.URL = redact(e.Name), redact(e.URL)
			e.Since, e.Until = e.Since.UTC(), e.Until.UTC()
			if !options.Verbose {
				e.LastError = ""
			}
		}
		services[i].Endpoints = endpoints
		services[i].Sources = shownSources(services[i].Sources, options.Verbose)
		services[i].Removed = slices.Clone(services[i].Removed)
		for j, name := range services[i].Removed {
			services[i].Removed[j] = redact(name)
		}
	}
	if services == nil {
		return []Service{}
	}
	return services
}

func shownSources(sources []Source, verbose bool) []Source {
	list := slices.Clone(sources)
	for i := range list {
		list[i].Since = list[i].Since.UTC()
		if !verbose {
			list[i].Error = ""
		}
	}
	return list
}

// redact hides the password of a URL; names may be URLs too.
func redact(text string) string {
	if !strings.Contains(text, "@") {
		return text
	}
	u, err := url.Parse(text)
	if err != nil || u.User == nil {
		return text
	}
	return u.Redacted()
}
