package admin

import (
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A route is a path and what it answers to. A segment {} of the path stands for
// any one segment, which the handler gets decoded.
type route struct {
	path    string
	methods methods
}

// methods are the handlers of a route by method. GET answers HEAD as well.
type methods map[string]handler

// A handler answers one method of one route; args are what the {} stood for.
type handler func(w http.ResponseWriter, r *http.Request, args []string)

// A table is routes, and what answers all other paths. Unlike http.ServeMux it
// redirects nothing, and its own answers are problem documents.
type table struct {
	routes []route
	orElse http.Handler
}

func (t table) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, route := range t.routes {
		if args, ok := match(route.path, r.URL.EscapedPath()); ok {
			route.methods.serve(w, r, args)
			return
		}
	}
	t.orElse.ServeHTTP(w, r)
}

func (m methods) serve(w http.ResponseWriter, r *http.Request, args []string) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	handle, ok := m[method]
	switch {
	case !ok:
		w.Header().Set("Allow", m.allow())
		writeProblem(w, problem{Status: http.StatusMethodNotAllowed, Error: "method_not_allowed"})
	case method != http.MethodGet && !hasJSON(r):
		// A form on somebody's web page cannot send this type without asking
		// first (CORS), and is never told yes.
		writeProblem(w, problem{
			Status: http.StatusUnsupportedMediaType, Error: "json_required",
			Detail: "Requests that change something need Content-Type: application/json.",
		})
	default:
		handle(w, r, args)
	}
}

func (m methods) allow() string {
	names := slices.Collect(maps.Keys(m))
	if m[http.MethodGet] != nil {
		names = append(names, http.MethodHead)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func hasJSON(r *http.Request) bool {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && media == "application/json"
}

// match compares a path, still percent-encoded, with a route's, segment by
// segment, so that a name may hold an encoded slash.
func match(pattern, path string) (args []string, ok bool) {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	for i := range want {
		segment, err := url.PathUnescape(got[i])
		switch {
		case err != nil:
			return nil, false
		case want[i] == "{}" && segment != "":
			args = append(args, segment)
		case want[i] != segment:
			return nil, false
		}
	}
	return args, true
}

func serveNotFound(w http.ResponseWriter, _ *http.Request) {
	writeProblem(w, problem{Status: http.StatusNotFound, Error: "not_found"})
}

func metricsRoute(metrics http.Handler) route {
	return route{"/metrics", methods{
		http.MethodGet: func(w http.ResponseWriter, r *http.Request, _ []string) { metrics.ServeHTTP(w, r) },
	}}
}
