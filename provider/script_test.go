package provider

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/weirproxy/weir/endpoint"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A script is a source that tells what a test says.
type script chan Update

// Watch implements Provider.
func (s script) Watch(ctx context.Context, update func(Update)) error {
	for {
		select {
		case u, ok := <-s:
			if !ok {
				return errors.New("it has ended")
			}
			update(u)
		case <-ctx.Done():
			return nil
		}
	}
}

// set makes endpoints of words: name, or name@version.
func set(words string) []endpoint.Endpoint {
	list := []endpoint.Endpoint{}
	for word := range strings.FieldsSeq(words) {
		name, version, _ := strings.Cut(word, "@")
		list = append(list, endpoint.Endpoint{Name: name, Version: version, Weight: 1})
	}
	return list
}

func inWords(list []endpoint.Endpoint) string {
	var words []string
	for _, e := range list {
		word := e.Name
		if e.Version != "" {
			word += "@" + e.Version
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// A listener hears what a damped source tells.
type listener struct {
	source script
	leave  func() error

	mu   sync.Mutex
	told []string
	sets [][]endpoint.Endpoint
	at   []time.Time // of sets
}

func damp(t *testing.T, o DampOptions) *listener {
	t.Helper()
	l := &listener{source: make(script)}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Damped(l.source, o).Watch(ctx, l.hear) }()
	l.leave = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() { _ = l.leave() })
	return l
}

func (l *listener) hear(u Update) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if u.Err != nil {
		l.told = append(l.told, "error: "+u.Err.Error())
		return
	}
	l.told = append(l.told, inWords(u.Endpoints))
	l.sets, l.at = append(l.sets, u.Endpoints), append(l.at, time.Now())
}

func (l *listener) tells(words ...string) {
	for _, w := range words {
		l.source <- Update{Endpoints: set(w)}
	}
}

// flaps has it tell one set, then the other, a second apart.
func (l *listener) flaps(times int, without, with string) {
	for range times {
		l.tells(without)
		time.Sleep(time.Second)
		l.tells(with)
		time.Sleep(time.Second)
	}
}

// heard returns what was told since the last call.
func (l *listener) heard() []string {
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	told := l.told
	l.told = nil
	return told
}

// history returns all sets that were told, and when.
func (l *listener) history() (sets [][]endpoint.Endpoint, at []time.Time) {
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.sets), slices.Clone(l.at)
}

// last returns the set that was told last, and when.
func (l *listener) last() ([]endpoint.Endpoint, time.Time) {
	sets, at := l.history()
	if len(sets) == 0 {
		return nil, time.Time{}
	}
	return sets[len(sets)-1], at[len(at)-1]
}

func (l *listener) wants(t *testing.T, when string, want ...string) {
	t.Helper()
	if got := l.heard(); !slices.Equal(got, want) {
		t.Errorf("%s it is told %q, want %q", when, got, want)
	}
}
