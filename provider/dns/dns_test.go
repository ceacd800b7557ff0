package dns

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/weirproxy/weir/provider"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A zone is what a test has DNS say, by question: "A web.example.".
type zone struct {
	mu      sync.Mutex
	answers map[string]any // []string in the form of zone files, or an error
	asked   map[string]int
}

func newZone() *zone { return &zone{answers: map[string]any{}, asked: map[string]int{}} }

// says sets the answer: records as "TTL data", or "none TTL".
func (z *zone) says(q string, records ...string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.answers[q] = records
}

func (z *zone) fails(q string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.answers[q] = errors.New("SERVFAIL")
}

// count is how often a question was asked.
func (z *zone) count(q string) int {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.asked[q]
}

// ask is an asker. What was not set does not exist, for 5 s.
func (z *zone) ask(_ context.Context, _ conf, q question) (reply, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	key := strings.TrimPrefix(q.typ.String(), "Type") + " " + q.name
	z.asked[key]++
	r := reply{ttl: 5 * time.Second}
	switch answer := z.answers[key].(type) {
	case error:
		return reply{}, fmt.Errorf("%v: %w", q, answer)
	case []string:
		for _, text := range answer {
			rec := parse(q.name, text)
			switch rec.typ {
			case q.typ:
				r.records, r.ttl = append(r.records, rec), rec.ttl
			case 0:
				r.ttl = rec.ttl
			default:
				r.extra = append(r.extra, rec)
			}
		}
	}
	return r, nil
}

// parse reads "TTL address", "TTL priority weight port target", "TTL" for none, or
// "+owner TTL address" for a record that comes along.
func parse(owner, text string) record {
	words := strings.Fields(text)
	if along, ok := strings.CutPrefix(words[0], "+"); ok {
		owner, words = along, words[1:]
	}
	r := record{owner: owner}
	var seconds int
	_, _ = fmt.Sscan(words[0], &seconds)
	r.ttl = time.Duration(seconds) * time.Second
	switch len(words) {
	case 2:
		r.addr, r.typ = netip.MustParseAddr(words[1]), dnsmessage.TypeA
		if r.addr.Is6() {
			r.typ = dnsmessage.TypeAAAA
		}
	case 5:
		r.typ, r.name = dnsmessage.TypeSRV, words[4]
		_, _ = fmt.Sscan(strings.Join(words[1:4], " "), &r.priority, &r.weight, &r.port)
	}
	return r
}

// An audience hears what a provider tells; it lives in virtual time.
type audience struct {
	mu   sync.Mutex
	told []string // sets in words, and errors
}

func (a *audience) hear(u provider.Update) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if u.Err != nil {
		a.told = append(a.told, "error: "+u.Err.Error())
		return
	}
	words := []string{}
	for _, e := range u.Endpoints {
		if e.Name != e.Address.String() {
			words = append(words, "misnamed")
		}
		word := strings.TrimPrefix(e.Name, "http://")
		if e.Weight != 1 {
			word += fmt.Sprintf("*%d", e.Weight)
		}
		words = append(words, word)
	}
	a.told = append(a.told, strings.Join(words, " "))
}

// heard returns what was told since the last call.
func (a *audience) heard() []string {
	synctest.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	told := a.told
	a.told = nil
	return told
}

func (a *audience) wants(t *testing.T, when string, want ...string) {
	t.Helper()
	got := a.heard()
	if len(got) != len(want) {
		t.Errorf("%s it is told %q, want %q", when, got, want)
		return
	}
	for i := range want {
		text, isError := strings.CutPrefix(want[i], "error: ")
		if got[i] != want[i] && !(isError && strings.HasPrefix(got[i], "error: ") && strings.Contains(got[i], text)) {
			t.Errorf("%s it is told %q, want %q", when, got, want)
		}
	}
}

// listen watches a zone until the test ends.
func listen(t *testing.T, z *zone, o Options) *audience {
	t.Helper()
	if len(o.Servers) == 0 && o.resolvConf == "" {
		o.Servers = []string{"192.0.2.53"}
	}
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	p.ask = func() asker { return z.ask }
	a := new(audience)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Watch(ctx, a.hear) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Watch returned %v, want nothing", err)
		}
	})
	return a
}

// virtually runs a test in virtual time.
func virtually(t *testing.T, test func(t *testing.T, z *zone)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newZone()) })
}

func TestWatch_AsksAgainWhenTheSmallestTTLHasPassed(t *testing.T) {
	virtually(t, func(t *testing.T, z *zone) {
		z.says("A web.example.", "20 10.0.0.1", "20 10.0.0.2")
		z.says("AAAA web.example.", "30 2001:db8::1")
		a := listen(t, z, Options{Name: "Web.example", Port: 8080})
		a.wants(t, "at first", "10.0.0.1:8080 10.0.0.2:8080 [2001:db8::1]:8080")
		z.says("A web.example.", "20 10.0.0.3")
		time.Sleep(19 * time.Second)
		a.wants(t, "before the TTL has passed")
		time.Sleep(4 * time.Second)
		a.wants(t, "after it", "10.0.0.3:8080 [2001:db8::1]:8080")
		if n := z.count("AAAA web.example."); n != 1 {
			t.Errorf("AAAA was asked for %d times within its TTL, want once", n)
		}
	})
}

func TestWatch_BoundsTTLs(t *testing.T) {
	virtually(t, func(t *testing.T, z *zone) {
		z.says("A zero.example.", "0 10.0.0.1")
		z.says("A day.example.", "86400 10.0.0.1")
		listen(t, z, Options{Name: "zero.example", Type: "a", MinTTL: 2 * time.Second})
		listen(t, z, Options{Name: "day.example", Type: "a"})
		time.Sleep(10 * time.Minute)
		if n := z.count("A zero.example."); n > 301 || n < 270 {
			t.Errorf("within 10 min a TTL of 0 with a bound of 2 s made %d questions, want 270 to 301", n)
		}
		if n := z.count("A day.example."); n > 11 || n < 9 {
			t.Errorf("within 10 min a TTL of a day with a bound of 1 min made %d questions, want 9 to 11", n)
		}
	})
}

func TestWatch_KeepsWhatItToldThroughAnOutage(t *testing.T) {
	virtually(t, func(t *testing.T, z *zone) {
		z.says("A web.example.", "5 10.0.0.1")
		a := listen(t, z, Options{Name: "web.example"})
		a.wants(t, "at first", "10.0.0.1")
		z.fails("A web.example.")
		z.fails("AAAA web.example.")
		time.Sleep(time.Hour)
		a.wants(t, "in the outage", "error: A of web.example.: SERVFAIL")
		z.says("A web.example.", "5 10.0.0.2")
		time.Sleep(6 * time.Second)
		a.wants(t, "after the outage", "10.0.0.2")
	})
}

func TestWatch_KeepsTheFamilyThatCannotBeAskedFor(t *testing.T) {
	virtually(t, func(t *testing.T, z *zone) {
		z.says("A web.example.", "5 10.0.0.1")
		z.says("AAAA web.example.", "5 2001:db8::1")
		a := listen(t, z, Options{Name: "web.example"})
		a.wants(t, "at first", "10.0.0.1 [2001:db8::1]")
		z.says("A web.example.", "5 10.0.0.2")
		z.fails("AAAA web.example.")
		time.Sleep(time.Minute)
		a.wants(t, "without AAAA", "10.0.0.2 [2001:db8::1]")
		z.says("A web.example.")
		time.Sleep(time.Minute)
		a.wants(t, "without A", "[2001:db8::1]")
		z.says("AAAA web.example.")
		time.Sleep(time.Minute)
		a.wants(t, "with nothing", "error: there are no such records", "")
	})
}

func TestWatch_DoesNotTakeHalfAnOutageForNothing(t *testing.T) {
	virtually(t, func(t *testing.T, z *zone) {
		z.says("A web.example.", "5 10.0.0.1")
		a := listen(t, z, Options{Name: "web.example"})
		a.wants(t, "at first", "10.0.0.1")
		z.says("A web.example.")
		z.fails("AAAA web.example.")
		time.Sleep(time.Hour)
		a.wants(t, "with no A, and AAAA ailing", "error: AAAA of web.example.: SERVFAIL")
	})
}

func TestWatch_BelievesInNothingOnlyAfterThreeAnswers(t *testing.T) {
	virtually(t, func(t *testing.T, z *zone) {
		z.says("A web.example.", "5 10.0.0.1")
		a := listen(t, z, Options{Name: "web.example", Type: "a"})
		a.wants(t, "at first", "10.0.0.1")
		for range 5 { // it vanishes for a moment, again and again
			z.says("A web.example.", "0")
			time.Sleep(10 * time.Second)
			a.wants(t, "when it has vanished for a moment", "error: there are no such records")
			z.says("A web.example.", "5 10.0.0.1")
			time.Sleep(10 * time.Second)
			a.wants(t, "when it is back", "10.0.0.1")
		}
		z.says("A web.example.", "0")
		time.Sleep(20 * time.Second)
		a.wants(t, "when it has gone", "error: there are no such records", "")
		z.says("A web.example.", "5 10.0.0.2")
		time.Sleep(6 * time.Second)
		a.wants(t, "when there is one again", "10.0.0.2")
	})
}

func TestWatch_HonoursHowLongNothingIsKept(t *testing.T) {
	virtually(t, func(t *testing.T, z *zone) {
		z.says("A web.example.", "5 10.0.0.1")
		a := listen(t, z, Options{Name: "web.example", Type: "a"})
		a.heard()
		z.says("A web.example.", "30") // the same answer for 30 s, by a resolver that keeps it
		time.Sleep(55 * time.Second)
		a.wants(t, "before two such answers have expired", "error: there are no such records")
		time.Sleep(25 * time.Second)
		a.wants(t, "after it", "")
	})
}

func TestWatch_OutageIsNoAnswerThatThereIsNothing(t *testing.T) {
	virtually(t, func(t *testing.T, z *zone) {
		z.says("A web.example.", "5 10.0.0.1")
		a := listen(t, z, Options{Name: "web.example", Type: "a"})
		a.heard()
		for range 10 {
			z.says("A web.example.", "1")
			time.Sleep(8 * time.Second)
			z.fails("A web.example.")
			time.Sleep(12 * time.Second)
		}
		if got := a.heard(); slices.Contains(got, "") {
			t.Errorf("a server that fails in between made the set empty: %q", got)
		}
	})
}

func TestWatch_SearchesUntilANameHasRecords(t *testing.T) {
	virtually(t, func(t *testing.T, z *zone) {
		file := writeResolvConf(t, "nameserver 192.0.2.53\nsearch a.example b.example c.example\noptions ndots:2\n")
		z.fails("A web.shop.a.example.") // such as a resolver that refuses it
		z.says("A web.shop.b.example.", "5 10.0.0.2")
		z.says("A web.shop.c.example.", "5 10.0.0.3")
		z.says("A web.shop.", "5 10.0.0.9")
		a := listen(t, z, Options{Name: "web.shop", Type: "a", resolvConf: file})
		a.wants(t, "at first", "10.0.0.2")
		z.fails("A web.shop.b.example.")
		time.Sleep(time.Minute)
		a.wants(t, "in an outage of the name that is in use", "error: SERVFAIL")
		z.says("A web.shop.a.example.", "5 10.0.0.1")
		time.Sleep(10 * time.Second)
		a.wants(t, "when an earlier name has records", "10.0.0.1")
		z.says("A web.shop.a.example.", "5")
		time.Sleep(8 * time.Second)
		a.wants(t, "when it vanishes", "error: there are no such records")
		time.Sleep(20 * time.Second)
		a.wants(t, "when it has gone, and the next one is ailing", "10.0.0.3")
	})
}

func TestWatch_NeedsNobodyForLocalhost(t *testing.T) {
	c := new(client)
	for _, name := range []string{"localhost.", "web.localhost."} {
		for typ, want := range map[dnsmessage.Type]string{dnsmessage.TypeA: "127.0.0.1", dnsmessage.TypeAAAA: "::1"} {
			r, err := c.ask(t.Context(), conf{}, question{name, typ})
			if err != nil || len(r.records) != 1 || r.records[0].addr.String() != want {
				t.Errorf("%v of %s is %v (%v), want %s", typ, name, r.records, err, want)
			}
		}
	}
}

func TestWatch_CancelEndsItAtOnce(t *testing.T) {
	virtually(t, func(t *testing.T, z *zone) {
		p, err := New(Options{Name: "web.example", Servers: []string{"192.0.2.53"}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		p.ask = func() asker {
			return func(ctx context.Context, _ conf, _ question) (reply, error) {
				<-ctx.Done()
				return reply{}, ctx.Err()
			}
		}
		a, ended := new(audience), make(chan error, 1)
		go func() { ended <- p.Watch(ctx, a.hear) }()
		synctest.Wait()
		before := time.Now()
		cancel()
		if err := <-ended; err != nil || time.Since(before) != 0 {
			t.Errorf("Watch returned %v after %v, want nothing at once", err, time.Since(before))
		}
		a.wants(t, "at the end")
	})
}
