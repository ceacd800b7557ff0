package weir

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/internal/attach"
	"github.com/weirproxy/weir/internal/service"
)

// newDefaultService returns service default of a proxy that was never opened.
func newDefaultService(t *testing.T) *liveService {
	t.Helper()
	p, err := New(*config.Zero())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Shutdown(context.Background()) })
	return p.services.find([]byte("default"), nil)
}

func newWorker(instance, credential string) *worker {
	return &worker{identity: attach.Identity{Instance: instance, Credential: credential, Weight: 1}}
}

func TestLiveService_AnnouncesOnceWhatManyHaveChanged(t *testing.T) {
	const n = 50
	s := newDefaultService(t)
	s.telling.Lock() // as somebody does who announces
	var all sync.WaitGroup
	var mu sync.Mutex
	lists := map[**service.Member]int{} // a list of members is known by its first place
	for i := range n {
		s.join(newWorker(fmt.Sprint("w", i), ""))
		all.Go(func() {
			s.announce()
			members := s.Pool().Members()
			mu.Lock()
			defer mu.Unlock()
			lists[&members[0]] = len(members)
		})
	}
	s.telling.Unlock()
	all.Wait()
	if len(lists) != 1 {
		t.Errorf("the members were changed %d times", len(lists))
	}
	for _, got := range lists {
		if got != n {
			t.Errorf("who has waited for it to be announced finds %d members, want %d", got, n)
		}
	}
}

func TestLiveService_PausesBetweenAnnouncementsThatTakeLong(t *testing.T) {
	for took, want := range map[time.Duration]time.Duration{
		time.Millisecond:      3 * time.Millisecond,
		10 * time.Millisecond: 30 * time.Millisecond,
		time.Second:           50 * time.Millisecond,
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newDefaultService(t)
			began := time.Now()
			s.join(newWorker("a", ""))
			s.announce()
			if first := time.Since(began); first != 0 {
				t.Errorf("what comes alone is announced after %v", first)
			}
			s.took = took
			s.join(newWorker("b", ""))
			s.announce()
			if second := time.Since(began); second != want || len(s.Pool().Members()) != 2 {
				t.Errorf("after an announcement that took %v the next came after %v, want %v", took, second, want)
			}
			s.took = took
			time.Sleep(want)
			s.join(newWorker("c", ""))
			s.announce()
			if third := time.Since(began); third != 2*want {
				t.Errorf("what comes later is announced after %v", third-2*want)
			}
		})
	}
}

func TestLiveService_TellsAWorkerFromOneOfThatNameThatHasLeft(t *testing.T) {
	s := newDefaultService(t)
	former, next := newWorker("a", ""), newWorker("a", "")
	s.join(former)
	s.announce()
	s.roll.leave(former) // and before anybody says so
	s.join(next)
	s.announce()
	members := s.Pool().Members()
	if len(members) != 1 || members[0].Endpoint.Name != "a" || members[0].Transport != service.Transport(&next.attached) {
		t.Errorf("the pool has %d members, and the first is not the worker that has come", len(members))
	}
}

func TestRoll_GivesEveryWorkerANameOfItsOwn(t *testing.T) {
	s := newDefaultService(t)
	var names []string
	for range 3 {
		w := newWorker("a", "token 2")
		s.join(w)
		names = append(names, w.name)
	}
	if got, want := fmt.Sprint(names), "[a a (token 2) a (token 2)']"; got != want {
		t.Errorf("workers of one name are called %s, want %s", got, want)
	}
}

func TestRoll_IsClosedForAServiceThatWasForgotten(t *testing.T) {
	s := newDefaultService(t)
	s.forget()
	if s.join(newWorker("a", "")) {
		t.Error("a worker can join a service that was forgotten")
	}
}
