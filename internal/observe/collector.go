package observe

import (
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/weirproxy/weir/internal/exchange"
)

// The metrics. docs/reference/metrics.md has a row for each.
var (
	requestsDesc = prometheus.NewDesc("weir_requests_total",
		"Requests by the service and endpoint that answered, and the class of the status sent to the client.",
		[]string{"service", "endpoint", "code"}, nil)
	errorsDesc = prometheus.NewDesc("weir_errors_total",
		"Requests that ended in an error of the proxy's own, by its name.", []string{"error"}, nil)
	durationDesc = prometheus.NewDesc("weir_request_duration_seconds",
		"Time from the request's head to the end of the response.", []string{"service"}, nil)
	attemptsDesc = prometheus.NewDesc("weir_attempts_total",
		"Times that an endpoint was called, by what became of the call.",
		[]string{"service", "endpoint", "outcome"}, nil)
	retriesDesc = prometheus.NewDesc("weir_retries_total",
		"Times that an endpoint was called for a request beyond the first.", []string{"service"}, nil)
	requestBytesDesc = prometheus.NewDesc("weir_request_bytes_total",
		"Bytes of content received from clients.", []string{"service"}, nil)
	responseBytesDesc = prometheus.NewDesc("weir_response_bytes_total",
		"Bytes of content sent to clients.", []string{"service"}, nil)
	connectionsDesc = prometheus.NewDesc("weir_connections",
		"Open connections.", []string{"side"}, nil)
	connectionsTotalDesc = prometheus.NewDesc("weir_connections_total",
		"Connections since the start.", []string{"side"}, nil)
	endpointConnectionsDesc = prometheus.NewDesc("weir_endpoint_connections",
		"Open connections to an endpoint: active ones carry a request, idle ones are kept for the next.",
		[]string{"service", "endpoint", "state"}, nil)
	endpointUpDesc = prometheus.NewDesc("weir_endpoint_up",
		"1 if the endpoint would be given a request, else 0.", []string{"service", "endpoint"}, nil)
	endpointStateDesc = prometheus.NewDesc("weir_endpoint_state",
		"1 for the state that the endpoint is in.", []string{"service", "endpoint", "state"}, nil)
	endpointRestsDesc = prometheus.NewDesc("weir_endpoint_rests_total",
		"Times that the endpoint was given no requests for a while because it had failed.",
		[]string{"service", "endpoint"}, nil)
	endpointInFlightDesc = prometheus.NewDesc("weir_endpoint_in_flight",
		"Requests that the endpoint is serving.", []string{"service", "endpoint"}, nil)
	queueWaitDesc = prometheus.NewDesc("weir_queue_wait_seconds",
		"Time that requests waited for an endpoint, of those that had to.", []string{"service"}, nil)
	queueWaitingDesc = prometheus.NewDesc("weir_queue_waiting",
		"Requests that wait for an endpoint.", []string{"service"}, nil)
	queueRejectedDesc = prometheus.NewDesc("weir_queue_rejected_total",
		"Requests refused because no endpoint was free, by why they could not wait for one.",
		[]string{"service", "reason"}, nil)
	hedgesDesc = prometheus.NewDesc("weir_hedges_total",
		"Times that another endpoint was called because the first was slow.", []string{"service"}, nil)
	retriesDeniedDesc = prometheus.NewDesc("weir_retries_denied_total",
		"Retries that were not made because the budget for them was used up.", []string{"service"}, nil)
	stepsSkippedDesc = prometheus.NewDesc("weir_steps_skipped_total",
		"Steps of routes that were left out, by why.", []string{"reason"}, nil)
	droppedDesc = prometheus.NewDesc("weir_access_log_dropped_total",
		"Lines of the access log that were dropped because its destination failed or did not keep up.", nil, nil)
	buildDesc = prometheus.NewDesc("weir_build_info",
		"1; the labels tell the build.", []string{"version", "go_version"}, nil)
)

var descs = []*prometheus.Desc{
	requestsDesc, errorsDesc, durationDesc, attemptsDesc, retriesDesc, requestBytesDesc, responseBytesDesc,
	connectionsDesc, connectionsTotalDesc,
	endpointConnectionsDesc, endpointUpDesc, endpointStateDesc, endpointRestsDesc, endpointInFlightDesc,
	queueWaitDesc, queueWaitingDesc, queueRejectedDesc, hedgesDesc, retriesDeniedDesc, stepsSkippedDesc,
	droppedDesc, buildDesc,
}

// A collector adds up an Observer's counters when metrics are scraped.
type collector struct {
	o       *Observer
	version string
}

func newRegistry(o *Observer, version string) *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collector{o, version},
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return registry
}

func newMetricsHandler(registry *prometheus.Registry) http.Handler {
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		// One series that cannot be exposed does not hide the others.
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: 4,
		Timeout:             30 * time.Second,
	})
}

// Describe implements prometheus.Collector.
func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range descs {
		ch <- desc
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	s := newScrape(ch)
	counters := &c.o.counters
	s.service(counters.other)
	for _, service := range *counters.services.Load() {
		s.service(service)
	}
	for i, code := range exchange.Codes() {
		var n uint64
		for lane := range counters.lanes {
			n += counters.errorAt(lane, i).Load()
		}
		s.counter(errorsDesc, n, code.Name)
	}
	// Closed first: a connection that closes in between is counted as open.
	closed := counters.closed.Load()
	opened := counters.opened.Load()
	s.gauge(connectionsDesc, float64(opened-closed), "client")
	s.counter(connectionsTotalDesc, opened, "client")
	if source := counters.source.Load(); source != nil {
		(*source).Endpoints(s.endpointStats)
		(*source).Services(s.serviceStats)
		(*source).SkippedSteps(func(reason string, n uint64) { s.counter(stepsSkippedDesc, n, reason) })
	}
	s.counter(droppedDesc, c.o.dropped.Load())
	s.gauge(buildDesc, 1, c.version, runtime.Version())
}
