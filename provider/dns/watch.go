package dns

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/weirproxy/weir/provider/internal/registry"
)

const (
	// absences is how often it has to be answered that there is nothing.
	absences = 3
	// absencePause is how long after such an answer the next one counts, and how
	// long it takes at most until a name that appears is seen.
	absencePause = 5 * time.Second
	// roundLimit bounds a round of questions.
	roundLimit = time.Minute
)

// A watch looks again and again.
type watch struct {
	o          Options
	ask        asker
	told       *registry.Announcer
	complaints complaints

	known   map[question]memo
	settled string // the name of the search list that has the endpoints
	absent  int    // how often in a row it was answered that there is nothing
	pauses  registry.Pauses
}

// round looks, tells, and returns how long to wait before the next one.
func (w *watch) round(ctx context.Context) time.Duration {
	limited, cancel := context.WithTimeout(ctx, roundLimit)
	defer cancel()
	r := &round{
		o: w.o, conf: w.o.conf(), ask: w.ask, before: w.known,
		learned: map[question]memo{}, wrong: map[string]bool{},
	}
	places, name, err := r.find(limited, w.settled)
	if ctx.Err() != nil {
		return 0
	}
	switch {
	case err != nil:
		w.absent = 0
		w.told.Fail(fmt.Errorf("dns %s: %w", w.o.Name, err))
		return w.pauses.Next()
	case len(places) == 0:
		return w.missed(r)
	}
	w.known, w.settled, w.absent = r.learned, name, 0
	w.complaints.say(r.wrong)
	w.told.Tell(w.o.endpoints(places))
	return w.wait(r)
}

// wait is how long a complete answer holds; one in part is completed sooner.
func (w *watch) wait(r *round) time.Duration {
	holds := later(w.bounded(time.Until(r.expires)))
	if r.failed {
		return min(holds, max(w.o.MinTTL, w.pauses.Next()))
	}
	w.pauses.Reset()
	return holds
}

// missed takes in that there is nothing, and returns how long to wait.
func (w *watch) missed(r *round) time.Duration {
	w.pauses.Reset()
	w.complaints.say(r.wrong)
	w.absent = min(absences, w.absent+1)
	if w.absent == absences && w.settled != "" {
		// What this name had counts no more; others of the search list may have some.
		w.settled, w.known = "", nil
		return 0
	}
	if w.absent == absences {
		w.told.Tell(nil)
	} else {
		w.told.Fail(fmt.Errorf("dns %s: %w", w.o.Name, errNone))
	}
	holds := time.Until(r.expires)
	if len(w.told.Told()) == 0 {
		holds = min(holds, absencePause)
	} else {
		holds = max(holds, absencePause)
	}
	return later(w.bounded(holds))
}

func (w *watch) bounded(d time.Duration) time.Duration {
	return min(max(d, w.o.MinTTL), w.o.MaxTTL)
}

func decimal(n uint16) string { return strconv.Itoa(int(n)) }
