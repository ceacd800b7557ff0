package config

import (
	"reflect"
	"slices"
)

// serviceWarner finds what is legal and unwise in one service.
type serviceWarner struct {
	*checker
	service Service // with its defaults
	path    string
	routes  []Route // that lead to it
	def     Service // of which nothing was written
	origin  *origin
	open    bool // workers or a source may bring endpoints
	shut    bool // workers may attach, but none may serve it
}

func (w serviceWarner) warn() {
	s := w.service
	if len(w.routes) == 0 {
		w.addAtKey(w.path, "no route leads to this service")
	}
	if len(s.Endpoints) == 0 && !w.open && w.needsOwn() {
		w.addAtKey(w.path, "has no endpoints%s; its requests wait in the queue and get 503 when queue.timeout has passed", w.whyNoWorkers())
	}
	if s.Timeouts.Tunnel < 0 {
		w.add(w.below("timeouts", "tunnel"), "an upgraded connection that carries nothing is kept without bound")
	}
	w.strategy()
	w.idle()
	w.bounds()
	w.placing()
	w.endpoints()
	w.versions()
}

// whyNoWorkers is what keeps workers from serving it, if others may attach.
func (w serviceWarner) whyNoWorkers() string {
	if w.shut {
		return ", and no token or certificate under attach may serve it"
	}
	return ""
}

// below is the path of a key of the service.
func (w serviceWarner) below(keys ...string) string {
	path := w.path
	for _, key := range keys {
		path = joinKey(path, key)
	}
	return path
}

// stated tells whether somebody has asked for what stands at path: it was
// written in the file, or is not the default.
func (w serviceWarner) stated(path string, value, def any) bool {
	return w.origin.has(path) || !reflect.DeepEqual(value, def)
}

func (w serviceWarner) strategy() {
	s, path := w.service, w.below("strategy")
	if s.NonIdempotent {
		w.add(w.below("non_idempotent"), "requests such as POST may be executed more than once")
	}
	if s.Strategy == "single" {
		return
	}
	if len(s.Endpoints) < 2 && !w.open && len(s.Versions) == 0 {
		w.add(path, "%s has no effect: the service has fewer than two endpoints", s.Strategy)
	}
	if !s.NonIdempotent && !s.Retry.IdempotencyKey && len(w.routes) > 0 && !slices.ContainsFunc(w.routes, mayRepeat) {
		w.add(path, "%s has no effect: all routes to the service are for methods that are not idempotent, which get one try; non_idempotent would change that", s.Strategy)
	}
}

var idempotentMethods = []string{"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"}

// mayRepeat tells whether a route is for requests that may be sent twice.
func mayRepeat(r Route) bool {
	return r.Match.Methods == nil || slices.ContainsFunc(r.Match.Methods, func(method string) bool {
		return slices.Contains(idempotentMethods, method)
	})
}

// idle tells of keys that another strategy would heed.
func (w serviceWarner) idle() {
	s, def := w.service, w.def
	single, hedge := s.Strategy == "single", s.Strategy == "hedge"
	for _, key := range []struct {
		path       string
		value, def any
		heeded     bool
	}{
		{w.below("usable"), s.Usable, def.Usable, !single},
		{w.below("retry", "on"), s.Retry.On, def.Retry.On, single},
		{w.below("retry", "attempts"), s.Retry.Attempts, def.Retry.Attempts, single || hedge},
		{w.below("hedge"), s.Hedge, def.Hedge, hedge},
		{w.below("balance"), s.Balance, def.Balance, single || hedge},
	} {
		if !key.heeded && w.stated(key.path, key.value, key.def) {
			w.addAtKey(key.path, "has no effect: strategy is %s", s.Strategy)
		}
	}
}
