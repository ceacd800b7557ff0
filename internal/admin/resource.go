package admin

import (
	"errors"
	"net/http"
	"strings"
)

// A resource is the endpoints of services, as what can be looked at and changed one
// by one. There are two spellings of each path: with a version, and without one,
// where the service may be written service@version.
type resource struct {
	endpoints Endpoints
	tags      tagger
	verbose   bool
}

func (s resource) routes() (list []route) {
	for _, all := range []string{"/v1/services/{}/endpoints", "/v1/services/{}/versions/{}/endpoints"} {
		list = append(list,
			route{all, methods{http.MethodGet: s.list}},
			route{all + "/{}", methods{http.MethodGet: s.get, http.MethodPut: s.put, http.MethodDelete: s.remove}},
			route{all + "/{}/drain", methods{http.MethodPost: s.drain(Drain), http.MethodDelete: s.drain(Undrain)}},
		)
	}
	return list
}

// A place is where an endpoint is, or all of a service.
type place struct{ service, version, name string }

// placeOf reads what the {} of a path stood for: service, maybe version.
func placeOf(args []string) (p place) {
	p.service = args[0]
	if len(args) > 1 {
		p.version = args[1]
	} else {
		p.service, p.version, _ = strings.Cut(p.service, "@")
	}
	return p
}

// placeOfOne likewise, with the name of an endpoint after it.
func placeOfOne(args []string) place {
	last := len(args) - 1
	p := placeOf(args[:last])
	p.name = args[last]
	return p
}

// fullName is how people call the service.
func (p place) fullName() string {
	if p.version == "" {
		return p.service
	}
	return p.service + "@" + p.version
}

var (
	unknownService  = &Refusal{http.StatusNotFound, "unknown_service", "There is no service of that name, or it has no such version."}
	unknownEndpoint = &Refusal{http.StatusNotFound, "unknown_endpoint", "There is no endpoint of that name in a service of that name."}
	notAsExpected   = &Refusal{
		http.StatusPreconditionFailed, "precondition_failed",
		"It is not as If-Match or If-None-Match expect; look at it again.",
	}
)

func (s resource) list(w http.ResponseWriter, r *http.Request, args []string) {
	p := placeOf(args)
	list, known := s.endpoints.List(p.service, p.version)
	if !known {
		writeRefusal(w, unknownService)
		return
	}
	shown := make([]Description, len(list)) // [] rather than null
	for i, d := range list {
		shown[i] = d.redacted()
	}
	s.show(w, r, s.tags.of(list), struct {
		Endpoints []Description `json:"endpoints"`
	}{shown})
}

func (s resource) get(w http.ResponseWriter, r *http.Request, args []string) {
	p := placeOfOne(args)
	list, known := s.endpoints.List(p.service, p.version)
	if !known {
		writeRefusal(w, unknownService)
		return
	}
	for _, d := range list {
		if d.Name == p.name {
			s.show(w, r, s.tags.of(d), d.redacted())
			return
		}
	}
	writeRefusal(w, unknownEndpoint)
}

// show answers with what has that tag, if it is what the client wants to see.
func (s resource) show(w http.ResponseWriter, r *http.Request, tag string, value any) {
	when, refusal := conditionsOf(r.Header)
	switch {
	case refusal != nil:
		writeRefusal(w, refusal)
		return
	case !when.matched(tag):
		writeRefusal(w, notAsExpected)
		return
	}
	w.Header().Set("ETag", tag)
	if when.unchanged(tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	writeJSON(w, value)
}

func (s resource) put(w http.ResponseWriter, r *http.Request, args []string) {
	p := placeOfOne(args)
	d, refusal := readDescription(w, r, p.name)
	if refusal != nil {
		writeRefusal(w, refusal)
		return
	}
	now, created, err := s.change(r, p, Change{Put, d})
	if err != nil {
		s.writeError(w, err)
		return
	}
	w.Header().Set("ETag", s.tags.of(*now))
	// The tag is that of what is answered here, rather than of what was sent.
	w.Header().Set("Content-Location", r.URL.EscapedPath())
	status := http.StatusOK
	if created {
		w.Header().Set("Location", r.URL.EscapedPath())
		status = http.StatusCreated
	}
	write(w, status, "application/json", now.redacted())
}

func (s resource) remove(w http.ResponseWriter, r *http.Request, args []string) {
	if _, _, err := s.change(r, placeOfOne(args), Change{Kind: Remove}); err != nil {
		s.writeError(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// drain returns what begins the draining of an endpoint, or calls it off.
func (s resource) drain(kind ChangeKind) handler {
	return func(w http.ResponseWriter, r *http.Request, args []string) {
		p := placeOfOne(args)
		now, _, err := s.change(r, p, Change{Kind: kind})
		if err != nil {
			s.writeError(w, err)
			return
		}
		w.Header().Set("ETag", s.tags.of(*now))
		writeDraining(w, p.fullName(), p.name, kind == Drain)
	}
}

// change makes a change on the conditions that a request has, and tells whether the
// endpoint was not there before.
func (s resource) change(r *http.Request, p place, c Change) (now *Description, created bool, err error) {
	when, refusal := conditionsOf(r.Header)
	if refusal != nil {
		return nil, false, refusal
	}
	now, err = s.endpoints.Change(p.service, p.version, p.name, c, func(current *Description) bool {
		created = current == nil
		return (!created || c.Kind == Put) && when.hold(s.tags.ofCurrent(current))
	})
	switch {
	// What is not there is not there, whatever the conditions: RFC 9110, section 13.2.1.
	case errors.Is(err, ErrPrecondition) && created && c.Kind != Put:
		err = unknownEndpoint
	case errors.Is(err, ErrPrecondition):
		err = notAsExpected
	case err == nil && now == nil && c.Kind != Remove:
		err = errors.New("the change was made, but there is no endpoint")
	}
	return now, created, err
}

// writeError answers with why something was not done.
func (s resource) writeError(w http.ResponseWriter, err error) {
	if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
		writeRefusal(w, refusal)
		return
	}
	p := problem{Status: http.StatusInternalServerError, Error: "internal"}
	if s.verbose {
		p.Detail = err.Error()
	}
	writeProblem(w, p)
}

func writeDraining(w http.ResponseWriter, service, endpoint string, on bool) {
	writeJSON(w, struct {
		Service  string `json:"service"`
		Endpoint string `json:"endpoint"`
		Draining bool   `json:"draining"`
	}{service, redact(endpoint), on})
}
