package observe

// A Source tells the present state of all endpoints and services, each once. It
// is asked by several scrapes at a time.
type Source interface {
	Endpoints(yield func(EndpointStats))
	Services(yield func(ServiceStats))
	// SkippedSteps tells how many steps of routes were left out, for each reason.
	SkippedSteps(yield func(reason string, n uint64))
}

// EndpointStats is the present state of one endpoint.
type EndpointStats struct {
	Service, Endpoint string
	// Up tells whether it would be given a request.
	Up bool
	// State is up, warming, resting, probing, unhealthy or draining. If empty,
	// it is not exposed.
	State string
	// Active and Idle count Weir's connections to it that carry a request,
	// and that are kept for the next.
	Active, Idle int
	// InFlight counts the requests that it is serving.
	InFlight int
	// Rests counts how many times it began to rest.
	Rests uint64
}

// ServiceStats is the present state of one service.
type ServiceStats struct {
	Service string
	// QueueWaiting counts the requests that wait for an endpoint.
	QueueWaiting int
	// QueueRejected counts the requests that could not wait, or not longer.
	QueueRejected QueueRejected
	// Hedges counts calls of a further endpoint because the first was slow.
	Hedges uint64
	// RetriesDenied counts retries that the budget did not allow.
	RetriesDenied uint64
}

// QueueRejected counts requests that were refused because no endpoint was free,
// by why they did not wait for one.
type QueueRejected struct {
	// Full: as many waited already as may. Timeout: they waited as long as
	// they may. Resting: all endpoints rest, and requests are not to wait.
	Full, Timeout, Resting uint64
}
