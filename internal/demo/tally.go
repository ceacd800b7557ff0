package demo

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// noticeable is how long a client waits until it can be said to have noticed.
const noticeable = time.Second

// A tally counts the stream's requests.
type tally struct {
	mu       sync.Mutex
	answers  map[string]int // by worker
	lately   map[string]int // since the last time that somebody asked
	failures int
	lost     map[string]string // who was killed with a request, by its number
	repeated int               // of those, answered by another
	waited   int               // answers that took noticeably long
	longest  time.Duration
}

func newTally() *tally {
	return &tally{answers: map[string]int{}, lately: map[string]int{}, lost: map[string]string{}}
}

// An answer is what became of a request.
type answer struct {
	number string
	name   string // who gave it
	took   time.Duration
	err    error
}

// count counts an answer, and returns who was killed with its request, if anybody
// was.
func (t *tally) count(a answer) (before string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a.took >= noticeable {
		t.waited++
	}
	t.longest = max(t.longest, a.took)
	if a.err != nil {
		t.failures++
		return ""
	}
	t.answers[a.name]++
	t.lately[a.name]++
	before = t.lost[a.number]
	if before != "" {
		delete(t.lost, a.number)
		t.repeated++
	}
	return before
}

// lose notes that a worker is killed with a request.
func (t *tally) lose(number, name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if number != "" {
		t.lost[number] = name
	}
}

// String is requests, failures, and who answered how many.
func (t *tally) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.totalLocked() + shares(", answered by ", t.answers, func(n, _ int) string { return fmt.Sprint(n) })
}

// sofar is requests, failures, and the shares of those that were answered since it
// was last called.
func (t *tally) sofar() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := t.totalLocked() + shares("; lately ", t.lately, func(n, all int) string { return fmt.Sprintf("%d%%", (100*n+all/2)/all) })
	clear(t.lately)
	return text
}

func (t *tally) totalLocked() string {
	return fmt.Sprintf("requests: %d, failures: %d", total(t.answers)+t.failures, t.failures)
}

func shares(intro string, answers map[string]int, show func(n, all int) string) string {
	all := total(answers)
	if all == 0 {
		return ""
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(answers)) {
		list = append(list, name+" "+show(answers[name], all))
	}
	return intro + strings.Join(list, ", ")
}

func total(answers map[string]int) (n int) {
	for _, k := range answers {
		n += k
	}
	return n
}

// verdict says what clients have noticed.
func (t *tally) verdict() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	repeated := ""
	if t.repeated > 0 {
		repeated = fmt.Sprintf("%s answered by another worker in place of a killed one; ", plural(t.repeated, "request was", "requests were"))
	}
	switch {
	case t.failures > 0:
		return repeated + plural(t.failures, "request failed", "requests failed")
	case t.waited > 0:
		return repeated + fmt.Sprintf("no request failed; %s for %v or longer, %v at most; nobody else noticed",
			plural(t.waited, "client waited", "clients waited"), noticeable, round(t.longest))
	default:
		return repeated + "no request failed, and no client noticed"
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
