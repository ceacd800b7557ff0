package dns

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
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
