package dns

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

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
