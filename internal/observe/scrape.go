package observe

import (
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// A scrape is one answer to a scraper. It passes on nothing twice: the same
// series twice would spoil the whole answer.
type scrape struct {
	ch        chan<- prometheus.Metric
	endpoints map[endpointID]bool // whose state was passed on
	services  map[string]bool
}

type endpointID struct{ service, endpoint string }

func newScrape(ch chan<- prometheus.Metric) scrape {
	return scrape{ch: ch, endpoints: make(map[endpointID]bool), services: make(map[string]bool)}
}

// service passes on what was counted for a service and its endpoints.
func (s scrape) service(series *ServiceSeries) {
	var total serviceTotal
	for i := range series.cells {
		total.add(&series.cells[i])
	}
	s.endpoint(series.name, series.other)
	for _, endpoint := range *series.endpoints.Load() {
		s.endpoint(series.name, endpoint)
	}
	if series.name == "" && total.durations.count() == 0 {
		return
	}
	s.histogram(durationDesc, &total.durations, series.name)
	s.counter(retriesDesc, total.retries, series.name)
	s.counter(requestBytesDesc, total.requestBytes, series.name)
	s.counter(responseBytesDesc, total.responseBytes, series.name)
	if series.name != "" || total.waits.count() > 0 { // as a rule, no request of no service waits
		s.histogram(queueWaitDesc, &total.waits, series.name)
	}
}

// endpoint passes on what was counted for an endpoint. Most have answered in one
// or two classes, and failed in no way: only what happened is exposed.
func (s scrape) endpoint(service string, series *Series) {
	var requests [classes]uint64
	var tries [tryOutcomes]uint64
	for lane := range series.cells {
		cell := &series.cells[lane]
		for i := range requests {
			requests[i] += cell.requests[i].Load()
		}
		for i := range tries {
			tries[i] += cell.tries[i].Load()
		}
	}
	var answered uint64
	for class, n := range requests {
		answered += n
		if n > 0 {
			s.counter(requestsDesc, n, service, series.name, classNames[class])
		}
	}
	if answered > 0 && series.name != "" { // those of no name were mostly not answered by any
		s.counter(attemptsDesc, answered, service, series.name, tryAnswered)
	}
	for outcome, n := range tries {
		if n > 0 {
			s.counter(attemptsDesc, n, service, series.name, tryOutcomeNames[outcome])
		}
	}
}

// endpointStats passes on the state of an endpoint.
func (s scrape) endpointStats(e EndpointStats) {
	id := endpointID{e.Service, e.Endpoint}
	if s.endpoints[id] {
		return
	}
	s.endpoints[id] = true
	up := 0.0
	if e.Up {
		up = 1
	}
	s.gauge(endpointUpDesc, up, e.Service, e.Endpoint)
	if e.State != "" {
		s.gauge(endpointStateDesc, 1, e.Service, e.Endpoint, e.State)
	}
	s.gauge(endpointConnectionsDesc, float64(e.Active), e.Service, e.Endpoint, "active")
	s.gauge(endpointConnectionsDesc, float64(e.Idle), e.Service, e.Endpoint, "idle")
	s.gauge(endpointInFlightDesc, float64(e.InFlight), e.Service, e.Endpoint)
	s.counter(endpointRestsDesc, e.Rests, e.Service, e.Endpoint)
}

// serviceStats passes on the state of a service.
func (s scrape) serviceStats(stats ServiceStats) {
	if s.services[stats.Service] {
		return
	}
	s.services[stats.Service] = true
	s.gauge(queueWaitingDesc, float64(stats.QueueWaiting), stats.Service)
	s.counter(queueRejectedDesc, stats.QueueRejected.Full, stats.Service, "full")
	s.counter(queueRejectedDesc, stats.QueueRejected.Timeout, stats.Service, "timeout")
	s.counter(queueRejectedDesc, stats.QueueRejected.Resting, stats.Service, "resting")
	s.counter(hedgesDesc, stats.Hedges, stats.Service)
	s.counter(retriesDeniedDesc, stats.RetriesDenied, stats.Service)
}

func (s scrape) histogram(desc *prometheus.Desc, h *histogram, label string) {
	seconds := float64(h.nanoseconds) / float64(time.Second)
	s.send(prometheus.NewConstHistogram(desc, h.count(), seconds, h.cumulative(), valid(label)))
}

func (s scrape) counter(desc *prometheus.Desc, n uint64, labels ...string) {
	s.value(desc, prometheus.CounterValue, float64(n), labels)
}

func (s scrape) gauge(desc *prometheus.Desc, v float64, labels ...string) {
	s.value(desc, prometheus.GaugeValue, v, labels)
}

func (s scrape) value(desc *prometheus.Desc, kind prometheus.ValueType, v float64, labels []string) {
	for i := range labels {
		labels[i] = valid(labels[i])
	}
	s.send(prometheus.NewConstMetric(desc, kind, v, labels...))
}

// send passes a metric on. There is no error once labels are valid UTF-8.
func (s scrape) send(m prometheus.Metric, err error) {
	if err == nil {
		s.ch <- m
	}
}

// valid makes a label value of a name; values must be UTF-8.
func valid(name string) string { return strings.ToValidUTF8(name, "\ufffd") }
