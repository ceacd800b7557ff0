package main

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// loadPlan says what the load generator does. Zero Rate is a closed loop: a client sends
// its next request when the answer to the last one is in. With a Rate requests are due at
// even intervals whatever the proxy does, wait for a free client if they must, and their
// latency counts from when they were due: a proxy that stalls pays for every request that
// it held up.
type loadPlan struct {
	Port     int
	Secure   bool
	Conns    int
	Method   string
	Path     string
	Body     int // bytes to send
	Answer   int // bytes of body expected back
	Rate     float64
	Group    time.Duration // with a rate: requests are due in groups this far apart
	Warmup   time.Duration
	Duration time.Duration
	Watch    []int  // processes whose CPU time is taken over the measured time
	Helpers  []int  // the endpoints', likewise
	Cores    [2]int // the proxy's and the load's, whose busy time is taken
	Hold     bool   // wait for a line on standard input before the measured time
	Idle     bool   // one request on every connection, then hold until standard input ends
}

// loadResult is what one run of the load generator prints, as JSON.
type loadResult struct {
	Requests  int
	Bytes     int64 // of bodies received
	Seconds   float64
	CPU       time.Duration // of the watched processes
	LoadCPU   time.Duration // of the load generator and the helpers
	ProxyBusy float64       // share of the time that the proxy's core was busy
	LoadBusy  float64
	P50, P99  time.Duration
	Max       time.Duration
	Sockets   int // errors of sockets: refused, reset, closed early
	Statuses  int // answers that were not 2xx
	Answers   int // answers that were not the endpoint's
	Cipher    string
	LastError string
}

func (r *loadResult) errors() int { return r.Sockets + r.Statuses + r.Answers }

// tooManyErrors ends a run that has become pointless.
const tooManyErrors = 1000

type loader struct {
	plan    loadPlan
	request []byte
	secure  *tls.Config
	poll    *poller
	clients map[int]*client
	idle    []*client // with a rate: clients that wait for a request
	began   time.Time
	next    time.Duration // when the next request is due
	gap     time.Duration
	buf     []byte
	latency histogram
	bytes   int64 // of bodies received so far
	result  loadResult
	closing bool // start nothing new
}

// runLoad is the subcommand `load`: it reads a plan from its argument, as JSON.
func runLoad(args []string) error {
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	text := flags.String("plan", "{}", "what to do, as `JSON`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var plan loadPlan
	if err := json.Unmarshal([]byte(*text), &plan); err != nil {
		return fmt.Errorf("read the plan: %w", err)
	}
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(512 << 20)
	l, err := newLoader(plan)
	if err != nil {
		return err
	}
	result, err := l.run()
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

func newLoader(plan loadPlan) (*loader, error) {
	poll, err := newPoller()
	if err != nil {
		return nil, err
	}
	l := &loader{
		plan: plan, request: requestBytes(plan), poll: poll, clients: map[int]*client{},
		began: time.Now(), buf: make([]byte, 32<<10),
	}
	if plan.Rate > 0 {
		l.gap = time.Duration(float64(time.Second) / plan.Rate)
		// The default slack of 50 µs is as long as a request takes.
		_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	}
	if plan.Secure {
		// The certificate is made for the run and proves nothing.
		l.secure = &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}}
	}
	return l, nil
}

// requestBytes is what a common client sends, the same for every request of a run.
func requestBytes(plan loadPlan) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: bench.example\r\nUser-Agent: bench/1\r\nAccept: */*\r\nAccept-Language: en\r\n", plan.Method, plan.Path)
	if plan.Method == "POST" {
		b.WriteString("Content-Type: application/octet-stream\r\nContent-Length: " + strconv.Itoa(plan.Body) + "\r\n")
	}
	b.WriteString("\r\n" + strings.Repeat("x", plan.Body))
	return []byte(b.String())
}

// now is the time on the loader's clock.
func (l *loader) now() time.Duration { return time.Since(l.began) }

func (l *loader) run() (*loadResult, error) {
	for range l.plan.Conns {
		if err := l.open(); err != nil {
			return nil, err
		}
		if l.plan.Idle {
			if err := l.oneRequest(); err != nil {
				return nil, err
			}
		}
	}
	if l.plan.Idle {
		fmt.Println("ready")
		return &l.result, awaitLine()
	}
	if err := l.warmUp(); err != nil {
		return nil, err
	}
	return l.measure()
}

func awaitLine() error {
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return fmt.Errorf("wait for a word on standard input: %w", err)
	}
	return nil
}

// open adds a connection, in the closed loop with a request on its way.
func (l *loader) open() error {
	c, err := dial(l.plan.Port, l.secure, l.plan.Answer)
	if err != nil {
		return err
	}
	if conn, ok := c.stream.(*tls.Conn); ok {
		state := conn.ConnectionState()
		l.result.Cipher = tls.VersionName(state.Version) + " " + tls.CipherSuiteName(state.CipherSuite)
	}
	if err := l.poll.add(int(c.fd)); err != nil {
		c.close()
		return err
	}
	l.clients[int(c.fd)] = c
	l.free(c)
	return nil
}

// free gives a client its next request, or lets it wait for one.
func (l *loader) free(c *client) {
	c.busy = false
	switch {
	case l.closing:
	case l.gap > 0 || l.plan.Idle:
		l.idle = append(l.idle, c)
	default:
		l.start(c, l.now())
	}
}

func (l *loader) start(c *client, due time.Duration) {
	if err := c.start(l.request, due); err != nil {
		l.replace(c, err)
	}
}

// oneRequest asks once, on the newest connection, and waits for the answer.
func (l *loader) oneRequest() error {
	c := l.idle[len(l.idle)-1]
	l.idle = l.idle[:0]
	before := l.result.Requests
	l.start(c, l.now())
	for limit := l.now() + patience; l.result.Requests == before; {
		if l.now() > limit || l.result.errors() > 0 {
			return fmt.Errorf("no answer on connection %d: %s", len(l.clients), l.result.LastError)
		}
		if err := l.turn(limit); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) warmUp() error {
	l.next = l.now()
	if err := l.turnUntil(l.now() + l.plan.Warmup); err != nil {
		return err
	}
	if l.plan.Hold {
		if err := l.drain(); err != nil {
			return err
		}
		fmt.Println("ready")
		if err := awaitLine(); err != nil {
			return err
		}
		l.closing, l.next = false, l.now()
		for _, c := range l.clients {
			l.free(c)
		}
	}
	l.latency, l.result.Requests = histogram{}, 0 // errors of the warm-up stay: none is hidden
	return nil
}

func (l *loader) measure() (*loadResult, error) {
	r := &l.result
	before := l.account()
	if err := l.turnUntil(before.at + l.plan.Duration); err != nil {
		return nil, err
	}
	if l.plan.Hold {
		if err := l.drain(); err != nil {
			return nil, err
		}
	}
	after := l.account()
	r.CPU, r.LoadCPU = after.watched-before.watched, after.load-before.load
	r.ProxyBusy = after.cores[0].since(before.cores[0]).share()
	r.LoadBusy = after.cores[1].since(before.cores[1]).share()
	r.Seconds, r.Bytes = (after.at - before.at).Seconds(), after.bytes-before.bytes
	l.countOverdue()
	r.P50, r.P99, r.Max = l.latency.quantile(0.50), l.latency.quantile(0.99), l.latency.quantile(1)
	return r, nil
}

// account is the state of all clocks at one moment.
type account struct {
	at      time.Duration
	watched time.Duration
	load    time.Duration
	cores   [2]coreTime
	bytes   int64
}

func (l *loader) account() account {
	a := account{
		watched: cpuTimeOf(l.plan.Watch), load: cpuTimeOf(append([]int{os.Getpid()}, l.plan.Helpers...)),
		at: l.now(), bytes: l.bytes,
	}
	for i, core := range l.plan.Cores {
		a.cores[i], _ = readCoreTime(core) // no figure rests on it
	}
	return a
}

// countOverdue records the requests that were due and not answered, with the time they
// have waited so far; without them the worst would be left out of the percentiles.
func (l *loader) countOverdue() {
	if l.gap == 0 {
		return
	}
	now := l.now()
	for _, c := range l.clients {
		if c.busy {
			l.latency.record(now - c.since)
		}
	}
	for due := l.next; l.groupOf(due) < now; due += l.gap {
		l.latency.record(now - l.groupOf(due))
	}
}

func (l *loader) turnUntil(end time.Duration) error {
	for l.now() < end {
		if l.result.errors() > tooManyErrors {
			return nil // the result shows the errors
		}
		if err := l.turn(end); err != nil {
			return err
		}
	}
	return nil
}

// drain lets the requests in flight end.
func (l *loader) drain() error {
	l.closing = true
	for limit := l.now() + patience; l.now() < limit && l.inFlight(); {
		if err := l.turn(l.now() + 100*time.Millisecond); err != nil {
			return err
		}
	}
	l.idle = l.idle[:0]
	return nil
}

func (l *loader) inFlight() bool {
	for _, c := range l.clients {
		if c.busy {
			return true
		}
	}
	return false
}

// turn starts what is due and handles what one wait brings.
func (l *loader) turn(end time.Duration) error {
	wake := end
	if l.gap > 0 && !l.closing {
		l.startDue()
		if len(l.idle) > 0 {
			wake = min(wake, l.groupOf(l.next))
		}
	}
	events, err := l.poll.wait(wake - l.now())
	if err != nil {
		return err
	}
	for _, event := range events {
		if c := l.clients[int(event.Fd)]; c != nil {
			l.handle(c)
		}
	}
	return nil
}

// startDue hands the requests that are due to idle clients; those that find none keep
// their time and wait.
func (l *loader) startDue() {
	for now := l.now(); len(l.idle) > 0; l.next += l.gap {
		due := l.groupOf(l.next)
		if due > now {
			return
		}
		c := l.idle[0]
		l.idle = l.idle[1:]
		l.start(c, due)
	}
}

// groupOf is when the group of a request is due, the first one not before its own time.
func (l *loader) groupOf(due time.Duration) time.Duration {
	if l.plan.Group == 0 {
		return due
	}
	return (due + l.plan.Group - 1) / l.plan.Group * l.plan.Group
}

func (l *loader) handle(c *client) {
	if len(c.out) > 0 {
		if err := c.flush(); err != nil {
			l.replace(c, err)
			return
		}
	}
	done, n, err := c.receive(l.buf)
	l.bytes += int64(n)
	if err != nil {
		l.replace(c, err)
		return
	}
	if done {
		l.latency.record(l.now() - c.since)
		l.result.Requests++
		l.free(c)
	}
}

// replace counts an error and opens a connection in place of the broken one.
func (l *loader) replace(c *client, err error) {
	switch {
	case errors.Is(err, errStatus):
		l.result.Statuses++
	case errors.Is(err, errAnswer):
		l.result.Answers++
	default:
		l.result.Sockets++
	}
	l.result.LastError = err.Error()
	delete(l.clients, int(c.fd))
	l.idle = without(l.idle, c)
	c.close()
	if l.result.errors() > tooManyErrors {
		return
	}
	if err := l.open(); err != nil {
		l.result.Sockets++
		l.result.LastError = err.Error()
	}
}

func without(clients []*client, gone *client) []*client {
	kept := clients[:0]
	for _, c := range clients {
		if c != gone {
			kept = append(kept, c)
		}
	}
	return kept
}
