package ratelimit

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

func limiter(t testing.TB, o Options) *Limiter {
	t.Helper()
	l, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// admitted returns how many of n requests of key pass now.
func admitted(l *Limiter, key string, n int) (passed int) {
	for range n {
		if l.Check([]byte(key)) == nil {
			passed++
		}
	}
	return passed
}

func TestLimiter_AdmitsABurstAndThenTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limiter(t, Options{Requests: 10, Per: time.Second, Burst: 20})
		for _, step := range []struct {
			after time.Duration
			want  int
		}{
			{0, 20},
			{99 * time.Millisecond, 0},
			{time.Millisecond, 1},
			{250 * time.Millisecond, 2},
			{50 * time.Millisecond, 1},
			{time.Second, 10},
			{time.Hour, 20},
			{1000 * time.Hour, 20},
		} {
			time.Sleep(step.after)
			if got := admitted(l, "a", 100); got != step.want {
				t.Errorf("%v later %d requests pass, want %d", step.after, got, step.want)
			}
		}
	})
}

func TestLimiter_BurstIsARateOfRequestsByDefault(t *testing.T) {
	l := limiter(t, Options{Requests: 7, Per: time.Hour})
	if got := admitted(l, "a", 100); got != 7 {
		t.Errorf("%d requests pass at once, want 7", got)
	}
}

func TestLimiter_TellsKeysApart(t *testing.T) {
	l := limiter(t, Options{Requests: 2, Per: time.Hour})
	long := strings.Repeat("x", 10_000)
	for _, key := range []string{"a", "b", "", long, long + "y"} {
		if got := admitted(l, key, 10); got != 2 {
			t.Errorf("%d requests of the key %.20q pass, want 2", got, key)
		}
	}
}

// A rate that does not divide a second is kept to the request in the long run.
func TestLimiter_DoesNotRoundTheRate(t *testing.T) {
	for _, o := range []Options{
		{Requests: 3, Per: time.Second},
		{Requests: 7, Per: 11 * time.Millisecond},
		{Requests: 700_000_000, Per: time.Second, Burst: 10},
		{Requests: 1, Per: 24 * time.Hour},
	} {
		r, err := newRate(o)
		if err != nil {
			t.Fatal(err)
		}
		b := bucket{level: r.full}
		count := int64(0)
		end := 1000 * o.Per
		if o.Requests > 1000 {
			end = 3 * time.Microsecond
		}
		for now := time.Duration(0); now < end; {
			wait := r.take(&b, now)
			if wait == 0 {
				count++
			} else if r.take(&b, now+wait-1) == 0 {
				t.Fatalf("%+v: a token is there sooner than %v from now", o, wait)
			}
			now += wait
		}
		if most := r.full/r.token + int64(float64(end)/float64(o.Per)*float64(o.Requests)); count < most-1 || count > most {
			t.Errorf("%+v: %d requests pass in %v, want %d", o, count, end, most)
		}
	}
}

func TestLimiter_SaysWhenTheNextOnePasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tc := range []struct {
			o    Options
			want int
		}{
			{Options{Requests: 100, Per: time.Second}, 1},
			{Options{Requests: 1, Per: time.Second}, 1},
			{Options{Requests: 1, Per: 1001 * time.Millisecond}, 2},
			{Options{Requests: 2, Per: time.Minute, Burst: 1}, 30},
		} {
			l := limiter(t, tc.o)
			for l.Check(nil) == nil {
			}
			f := l.Check(nil)
			if f.Code != exchange.CodeRateLimited || f.Code.Status != 429 || f.RetryAfter != tc.want {
				t.Errorf("%+v: refused as %v with Retry-After %d, want 429 rate_limited with %d", tc.o, f, f.RetryAfter, tc.want)
			}
			time.Sleep(time.Duration(f.RetryAfter) * time.Second)
			if l.Check(nil) != nil {
				t.Errorf("%+v: who waits as long as told is refused again", tc.o)
			}
		}
	})
}

func TestNew_RefusesLimitsThatAreNone(t *testing.T) {
	for _, o := range []Options{
		{},
		{Requests: 1},
		{Per: time.Second},
		{Requests: -1, Per: time.Second},
		{Requests: 1, Per: -time.Second},
		{Requests: 1, Per: time.Second, Burst: -1},
		{Requests: math.MaxInt64, Per: 2},
		{Requests: 1, Per: time.Hour, Burst: math.MaxInt64 / int64(time.Minute)},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v is taken for a limit", o)
		}
	}
}

func TestAppendAddr_TellsClientsApart(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"2001:db8::1", "2001:db8::ffff:1", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"fe80::1%eth0", "fe80::1", true},
		{"", "", true},
		{"", "0.0.0.0", false},
	} {
		a, b := AppendAddr(nil, parse(tc.a)), AppendAddr(nil, parse(tc.b))
		if (string(a) == string(b)) != tc.same {
			t.Errorf("%q and %q have the same key: %t, want %t", tc.a, tc.b, !tc.same, tc.same)
		}
	}
}

func parse(text string) netip.Addr {
	if text == "" {
		return netip.Addr{}
	}
	return netip.MustParseAddr(text)
}

func TestLimiter_AllocatesNothingForKnownKeys(t *testing.T) {
	l := limiter(t, Options{Requests: 1_000_000, Per: time.Second})
	key := make([]byte, 0, 16)
	if n := testing.AllocsPerRun(100, func() { _ = l.Check(AppendAddr(key[:0], netip.IPv6Loopback())) }); n != 0 {
		t.Errorf("a request that is admitted costs %v allocations, want none", n)
	}
}

func BenchmarkLimiter(b *testing.B) {
	l := limiter(b, Options{Requests: 1_000_000_000, Per: time.Second})
	keys := make([][]byte, 1000)
	for i := range keys {
		keys[i] = fmt.Append(nil, "client ", i)
	}
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			_ = l.Check(keys[i%len(keys)])
		}
	})
}
