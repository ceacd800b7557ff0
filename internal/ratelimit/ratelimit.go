package ratelimit

import (
	"errors"
	"hash/maphash"
	"math"
	"math/bits"
	"net/netip"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// Options are a limit as it is written. They can be compared: a limit that stays
// the same goes on counting across configurations.
type Options struct {
	// Requests pass in each period Per: 100 a second is 100 and time.Second.
	Requests int64
	Per      time.Duration
	// Burst is how many may pass at once; 0 is as many as Requests.
	Burst int64
	// MaxKeys bounds how many keys are remembered; 0 is 100,000, about 10 MB
	// once there are as many.
	MaxKeys int
}

const defaultMaxKeys = 100_000

// A Limiter admits requests. It is safe for concurrent use.
type Limiter struct {
	options Options
	rate    rate
	seeds   [2]maphash.Seed
	stripes []stripe
	most    int // keys in a stripe
}

// Keys are spread over this many locks, but for so few that chance would fill
// one stripe long before the others.
const (
	usualStripes  = 64
	stripeAtLeast = 1024
)

// New returns a limiter, or why there cannot be one.
func New(o Options) (*Limiter, error) {
	r, err := newRate(o)
	if err != nil {
		return nil, err
	}
	keys := o.MaxKeys
	if keys <= 0 {
		keys = defaultMaxKeys
	}
	n := min(usualStripes, max(1, keys/stripeAtLeast))
	l := &Limiter{options: o, rate: r, stripes: make([]stripe, n), most: (keys + n - 1) / n}
	l.seeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}
	for i := range l.stripes {
		l.stripes[i].index = map[key]int32{}
		l.stripes[i].overflow = bucket{r.full, exchange.Now()}
	}
	return l, nil
}

func newRate(o Options) (rate, error) {
	burst := o.Burst
	if burst == 0 {
		burst = o.Requests
	}
	if o.Requests < 1 || o.Per <= 0 || burst < 1 {
		return rate{}, errors.New("a limit needs at least one request in a time longer than 0, and a burst of at least 1")
	}
	high, full := bits.Mul64(uint64(burst), uint64(o.Per))
	if high > 0 || full > math.MaxInt64 {
		return rate{}, errors.New("the burst times the period is too large to be counted; write a shorter period, with as many requests less")
	}
	return rate{token: int64(o.Per), full: int64(full), gain: o.Requests}, nil
}

// Options returns what the limiter was made with.
func (l *Limiter) Options() Options { return l.options }

// Check returns why a request of that key is refused; nil if it is admitted.
func (l *Limiter) Check(key []byte) *exchange.Failure {
	wait := l.take(key, exchange.Now())
	if wait == 0 {
		return nil
	}
	f := exchange.Fail(exchange.CodeRateLimited, "", nil)
	f.RetryAfter = seconds(wait)
	return f
}

// seconds is a time in whole seconds, rounded up.
func seconds(d time.Duration) int { return int((d-1)/time.Second) + 1 }

// take takes a token of that key, or returns how long it takes until there is one.
func (l *Limiter) take(k []byte, now time.Duration) (wait time.Duration) {
	hash := key{maphash.Bytes(l.seeds[0], k), maphash.Bytes(l.seeds[1], k)}
	s := &l.stripes[hash[0]%uint64(len(l.stripes))]
	return s.take(&l.rate, l.most, hash, now)
}

// network6 is how much of an IPv6 address tells clients apart: a host has a /64 to
// choose its addresses from (RFC 4291 §2.5.4), and could use a new one for each
// request.
const network6 = 64

// AppendAddr appends the key of a client that is told apart by its address: the
// address, or the /64 that it is in. All clients on Unix sockets have the same key.
func AppendAddr(dst []byte, a netip.Addr) []byte {
	a = a.Unmap().WithZone("")
	switch {
	case a.Is4():
		four := a.As4()
		return append(dst, four[:]...)
	case a.Is6():
		six := a.As16()
		return append(dst, six[:network6/8]...)
	default:
		return dst
	}
}
