package observe

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// classNames are the values of the label code, by class.
var classNames = [...]string{"none", "1xx", "2xx", "3xx", "4xx", "5xx", "other"}

const classes = len(classNames)

// class returns the index in classNames of a status; 0 is no status at all.
func class(status int) int {
	switch {
	case status == 0:
		return 0
	case status < 100 || status > 599:
		return classes - 1
	default:
		return status / 100
	}
}

// durationBounds are the upper bounds of the duration histogram's buckets,
// waitBounds those of the wait for an endpoint.
var durationBounds = [...]time.Duration{
	500 * time.Microsecond, time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond,
	10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond,
	250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2500 * time.Millisecond,
	5 * time.Second, 10 * time.Second, 30 * time.Second, 60 * time.Second,
}

var waitBounds = [...]time.Duration{
	time.Millisecond, 10 * time.Millisecond, 50 * time.Millisecond, 250 * time.Millisecond, time.Second, 5 * time.Second,
}

// The numbers of buckets: one a bound, and one beyond.
const (
	durationBuckets = len(durationBounds) + 1
	waitBuckets     = len(waitBounds) + 1
)

// bucket returns the index of the bucket that a duration falls into. The search
// is linear because most requests are fast.
func bucket(bounds []time.Duration, d time.Duration) int {
	for i, bound := range bounds {
		if d <= bound {
			return i
		}
	}
	return len(bounds)
}

// endpointCell is what one lane counted for one endpoint: a cache line, and
// another that is touched only by tries that did not give the answer.
type endpointCell struct {
	requests [classes]atomic.Uint64
	_        [64 - 8*classes]byte
	tries    [tryOutcomes]atomic.Uint64
	_        [64 - 8*tryOutcomes]byte
}

// serviceCell is what one lane counted for one service: whole cache lines, the
// last of which only requests touch that waited.
type serviceCell struct {
	durations       [durationBuckets]atomic.Uint64
	nanoseconds     atomic.Uint64
	retries         atomic.Uint64
	requestBytes    atomic.Uint64
	responseBytes   atomic.Uint64
	_               [(64 - 8*(durationBuckets+4)%64) % 64]byte
	waits           [waitBuckets]atomic.Uint64
	waitNanoseconds atomic.Uint64 // fills the line
}

// counters are all the counters of an Observer.
type counters struct {
	lanes int
	// mu serializes changes to the sets of series, which readers never lock.
	mu       sync.Mutex
	services atomic.Pointer[map[string]*ServiceSeries]
	// other counts the exchanges of no service that was declared.
	other *ServiceSeries

	codes  map[*exchange.Code]int // immutable
	errors []atomic.Uint64        // by lane, then code; see errorAt

	opened, closed atomic.Uint64 // client connections
	source         atomic.Pointer[Source]
}

func (c *counters) init(lanes int) {
	c.lanes = lanes
	c.other = c.newService("")
	c.services.Store(&map[string]*ServiceSeries{})
	c.codes = make(map[*exchange.Code]int)
	for i, code := range exchange.Codes() {
		c.codes[code] = i
	}
	c.errors = make([]atomic.Uint64, lanes*c.errorStride())
}

// add counts one exchange.
func (c *counters) add(l *lane, out *exchange.Outcome) {
	service := (*c.services.Load())[out.Service]
	if service == nil {
		service = c.other
	}
	service.add(l, out)
	if out.Failure != nil {
		if code, ok := c.codes[out.Failure.Code]; ok {
			c.errorAt(l.index, code).Add(1)
		}
	}
}

// errorStride is the number of counters from one lane's errors to the next's:
// whole cache lines, and one to spare in case the first is not aligned.
func (c *counters) errorStride() int { return (len(c.codes)+7)&^7 + 8 }

func (c *counters) errorAt(lane, code int) *atomic.Uint64 {
	return &c.errors[lane*c.errorStride()+code]
}
