package main

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// kind is one kind of work.
type kind struct {
	name  string
	title string
	plan  loadPlan // without port, time and processes
	bytes bool     // CPU per MiB is what matters
	// variants are the peers that it is measured with; if nil, those asked for.
	variants   []string
	references []reference
}

// reference is a peer that ratios are taken to, and what the column calls it.
type reference struct{ peer, title string }

// common are the references of most kinds.
var common = []reference{{"nginx", "nginx"}, {"haproxy", "HAProxy"}}

func allKinds(conns int) []kind {
	small := loadPlan{Conns: conns, Method: "GET", Path: "/bytes/512", Answer: 512}
	post, secure, large, huge := small, small, small, small
	post.Method, post.Body = "POST", 10<<10
	secure.Secure = true
	large.Conns, large.Path, large.Answer = min(conns, 32), "/bytes/1048576", 1<<20
	huge.Conns, huge.Path, huge.Answer = min(conns, 8), "/bytes/104857600", 100<<20
	kinds := []kind{
		{name: "small", title: "Small answers (512 bytes of body), saturated", plan: small},
		{name: "large", title: "Answers of 1 MiB, saturated", plan: large, bytes: true},
		{name: "huge", title: "Answers of 100 MiB, saturated", plan: huge, bytes: true},
		{name: "post", title: "POST of 10 KiB, small answers, saturated", plan: post},
		{name: "tls", title: "Small answers over TLS 1.3, saturated", plan: secure},
		{
			name: "shaped", title: "Small answers on a route with three header steps and one if, beside one without, saturated", plan: small,
			variants:   []string{"weir-shaped", "weir-plain"},
			references: []reference{{"weir-plain", "Weir without steps"}},
		},
		{
			name: "attached", title: "Small answers of one attached worker, beside one HTTP/1.1 endpoint, saturated", plan: small,
			variants:   []string{"weir-attached", "weir-one", "haproxy3-attached", "haproxy3-one"},
			references: []reference{{"weir-one", "Weir HTTP/1.1"}, {"haproxy3-attached", "HAProxy rhttp@"}},
		},
	}
	for i := range kinds {
		if kinds[i].references == nil {
			kinds[i].references = common
		}
	}
	return kinds
}

// idleKind is measured in another way, see idle.go.
const idleKind = "idle"

func selectKinds(names string, conns int) ([]kind, error) {
	all, known := allKinds(conns), []string{idleKind}
	var chosen []kind
	for _, k := range all {
		known = append(known, k.name)
		if named(names, k.name) {
			chosen = append(chosen, k)
		}
	}
	for name := range strings.SplitSeq(names, ",") {
		if !named(strings.Join(known, ","), name) {
			return nil, fmt.Errorf("no kind of work is called %q; there are %s", name, strings.Join(known, ", "))
		}
	}
	return chosen, nil
}

// atRate is the kind at a constant rate.
func (k kind) atRate(rate float64, of string) kind {
	k.name += "-rate"
	k.title = fmt.Sprintf("Small answers at a constant %s requests/s (%s)", number(rate), of)
	k.plan.Rate, k.plan.Group = rate, rateGroup
	return k
}

// rateGroup is how far apart groups of requests at a constant rate are due. One by one they
// would cost the load side a timer and two wakes each, and keep its core so busy that its
// own queue would be what the percentiles show.
const rateGroup = 200 * time.Microsecond

// sample is what one round showed of one proxy.
type sample struct {
	CPU       float64 // µs of the proxy's time a request
	CPUPerMiB float64 // ms
	Rate      float64 // requests/s
	P50, P99  float64 // ms
	Memory    float64 // MiB
	PerConn   float64 // KiB an idle connection
	Share     float64 // of its core's time that the proxy used
	ProxyBusy float64 // share of time that the proxy's core was busy, with whatever
	LoadBusy  float64
	LoadShare float64 // of its core's time that load generator and endpoints used
	Errors    errorCount
}

// errorCount is kept by kind of error, so that a report can tell them apart.
type errorCount struct {
	sockets, statuses, answers int
	last                       string
}

func (e errorCount) total() int { return e.sockets + e.statuses + e.answers }

func (e errorCount) plus(other errorCount) errorCount {
	sum := errorCount{e.sockets + other.sockets, e.statuses + other.statuses, e.answers + other.answers, e.last}
	if other.last != "" {
		sum.last = other.last
	}
	return sum
}

func newSample(k kind, result *loadResult, memory int64) sample {
	s := sample{
		CPU: math.NaN(), CPUPerMiB: math.NaN(), P50: math.NaN(), P99: math.NaN(),
		Rate:      float64(result.Requests) / result.Seconds,
		Memory:    float64(memory) / (1 << 20),
		Share:     result.CPU.Seconds() / result.Seconds,
		LoadShare: result.LoadCPU.Seconds() / result.Seconds,
		ProxyBusy: result.ProxyBusy, LoadBusy: result.LoadBusy,
		Errors: errorCount{result.Sockets, result.Statuses, result.Answers, result.LastError},
	}
	if result.Bytes > 0 {
		s.CPUPerMiB = milliseconds(result.CPU) / (float64(result.Bytes) / (1 << 20))
	}
	if result.Requests == 0 {
		return s // a round so starved or broken shows dashes, not a time of 0
	}
	s.P50, s.P99 = milliseconds(result.P50), milliseconds(result.P99)
	s.CPU = float64(result.CPU.Nanoseconds()) / 1000 / float64(result.Requests)
	if k.bytes { // few large answers end within a round; counting bytes does not round them
		s.CPU = s.CPUPerMiB * 1000 * float64(k.plan.Answer) / (1 << 20)
	}
	return s
}

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
