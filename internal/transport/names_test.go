package transport

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A book answers look-ups as it is told.
type book struct {
	mu    sync.Mutex
	addrs []netip.Addr
	err   error
	asked int
}

func (b *book) lookup(context.Context, string) ([]netip.Addr, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked++
	return slices.Clone(b.addrs), b.err
}

func (b *book) say(err error, addrs ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.addrs, b.err = nil, err
	for _, a := range addrs {
		b.addrs = append(b.addrs, netip.MustParseAddr(a))
	}
}

func wantAddrs(t *testing.T, n *Names, want ...string) {
	t.Helper()
	addrs, err := n.Lookup(t.Context())
	if err != nil {
		t.Errorf("Lookup: %v", err)
	}
	var got []string
	for _, a := range addrs {
		got = append(got, a.String())
	}
	if !slices.Equal(got, want) {
		t.Errorf("the addresses are %v, want %v", got, want)
	}
}

func withNames(t *testing.T, b *book, test func(t *testing.T, n *Names)) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNames("app.example", b.lookup)
		synctest.Wait()
		test(t, n)
		n.Close()
	})
}

func TestNames_PutsAnotherAddressFirstEachTime(t *testing.T) {
	b := new(book)
	b.say(nil, "10.0.0.1", "10.0.0.2", "10.0.0.3")
	withNames(t, b, func(t *testing.T, n *Names) {
		wantAddrs(t, n, "10.0.0.1", "10.0.0.2", "10.0.0.3")
		wantAddrs(t, n, "10.0.0.2", "10.0.0.3", "10.0.0.1")
		wantAddrs(t, n, "10.0.0.3", "10.0.0.1", "10.0.0.2")
		wantAddrs(t, n, "10.0.0.1", "10.0.0.2", "10.0.0.3")
	})
	if b.asked != 1 {
		t.Errorf("the resolver was asked %d times for four look-ups at once", b.asked)
	}
}

func TestNames_FollowsChangesInTheBackground(t *testing.T) {
	b := new(book)
	b.say(nil, "10.0.0.1")
	withNames(t, b, func(t *testing.T, n *Names) {
		b.say(nil, "::ffff:10.0.0.9")
		time.Sleep(refreshEvery - time.Second)
		wantAddrs(t, n, "10.0.0.1")
		time.Sleep(2 * time.Second)
		wantAddrs(t, n, "10.0.0.9")
	})
}

func TestNames_KeepsTheLastThatWereKnown(t *testing.T) {
	b := new(book)
	b.say(nil, "10.0.0.1")
	withNames(t, b, func(t *testing.T, n *Names) {
		b.say(errors.New("no such host"))
		time.Sleep(5 * refreshEvery)
		wantAddrs(t, n, "10.0.0.1")
		b.say(nil) // an answer without addresses is none
		time.Sleep(5 * refreshEvery)
		wantAddrs(t, n, "10.0.0.1")
		b.say(nil, "10.0.0.2")
		time.Sleep(refreshEvery)
		synctest.Wait()
		wantAddrs(t, n, "10.0.0.2")
	})
}

func TestNames_AsksAgainUntilAnAddressIsKnown(t *testing.T) {
	b := new(book)
	failure := errors.New("no such host")
	b.say(failure)
	withNames(t, b, func(t *testing.T, n *Names) {
		if _, err := n.Lookup(t.Context()); !errors.Is(err, failure) {
			t.Errorf("Lookup returns %v, want why the name is not known", err)
		}
		b.say(nil, "10.0.0.1")
		wantAddrs(t, n, "10.0.0.1")
	})
}
