package demo

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const (
	// cuePatience is how long an act waits for a request to come to its actor.
	cuePatience = 3 * time.Second
	// freezePatience is how long the router may take to notice that a worker is
	// frozen. It should within about three seconds from the first request that
	// is not answered.
	freezePatience = 8 * time.Second
)

// A script is what happens to the workers, an act after the other.
type script struct {
	cast     *cast
	router   *router
	tally    *tally
	narrator *narrator
	pace     pace
	record   record
}

// A record counts what has happened.
type record struct{ killed, left, frozen int }

// play plays until ctx is done.
func (s *script) play(ctx context.Context) {
	acts := []func(context.Context){s.kill, s.join, s.leave, s.freeze}
	s.gather(ctx)
	sleep(ctx, s.pace.pause/2) // whoever watches for a few seconds sees the first one
	for ctx.Err() == nil {
		for _, act := range acts {
			act(ctx)
			if !sleep(ctx, s.pace.pause) {
				return
			}
		}
	}
}

// gather waits until the router has those who have dialed in when it was there: if
// one is killed while there is no other, its requests have nobody to go to. Those who
// were there before it may take a second to try again.
func (s *script) gather(ctx context.Context) {
	for _, a := range s.cast.actors {
		for a.life != nil && !slices.Contains(s.cast.early, a) {
			_, err := s.router.look(ctx, a.name)
			if err == nil || !sleep(ctx, 20*time.Millisecond) {
				break
			}
		}
	}
}

// kill cuts a worker's connection while it has a request, and starts it again.
func (s *script) kill(ctx context.Context) {
	n, a := s.narrator, s.cast.mortal
	number, goOn, ok := a.next(ctx, cuePatience)
	defer goOn()
	if ctx.Err() != nil {
		return
	}
	if ok {
		s.tally.lose(number, a.name)
	}
	n.tell("%s is %s%s: its connection is cut without a word", n.name(a.name), n.bad("killed"), inHands(number, ok))
	a.die()
	s.record.killed++
	if sleep(ctx, s.pace.away) {
		n.tell("%s %s and dials in", n.name(a.name), n.good("starts again"))
		a.join()
	}
}

// join has the one who is late dial in, once.
func (s *script) join(context.Context) {
	if a := s.cast.late; a.life == nil {
		s.narrator.tell("%s %s; nobody has told the router of it", s.narrator.name(a.name), s.narrator.good("dials in"))
		a.join()
	}
}

// leave has a worker leave while it has a request, and come back.
func (s *script) leave(ctx context.Context) {
	n, a := s.narrator, s.cast.leaver
	number, goOn, ok := a.next(ctx, cuePatience)
	if ctx.Err() != nil {
		goOn()
		return
	}
	n.tell("%s %s%s: GOAWAY tells the router to send it no more", n.name(a.name), n.bad("leaves"), inHands(number, ok))
	goOn()
	if err := a.leave(); err != nil {
		n.tell("%s could not finish what it had: %v", n.name(a.name), err)
	} else {
		n.tell("%s is gone, and had nothing left to answer", n.name(a.name))
	}
	s.record.left++
	if sleep(ctx, s.pace.away) {
		n.tell("%s %s and dials in", n.name(a.name), n.good("comes back"))
		a.join()
	}
}

// inHands tells which request a worker has.
func inHands(number string, ok bool) string {
	switch {
	case !ok:
		return ""
	case number == "":
		return " with a request of yours in its hands"
	default:
		return " with #" + number + " in its hands"
	}
}

// freeze has a worker freeze until the router has noticed, and a while longer.
func (s *script) freeze(ctx context.Context) {
	n, a := s.narrator, s.cast.freezer
	start := time.Now()
	thaw := a.life.freeze()
	defer thaw()
	s.record.frozen++
	n.tell("%s %s: its connection stays open, and nothing is read or written", n.name(a.name), n.bad("freezes"))
	noticed, ok := s.awaitDoubt(ctx, a.name)
	if ctx.Err() != nil {
		return
	}
	if ok {
		n.tell("the router has noticed after %v, for its PING is not answered: it sends %s nothing more; %s there",
			round(time.Since(start)), n.name(a.name), waiting(noticed.InFlight))
	} else {
		n.tell("the router has not noticed in %v", freezePatience)
	}
	if !sleep(ctx, s.pace.still) {
		return
	}
	if later, err := s.router.look(ctx, a.name); ok && err == nil && later.InFlight <= noticed.InFlight {
		n.tell("%s %s, and answers what it has; it was sent nothing for %v", n.name(a.name), n.good("thaws"), s.pace.still)
	} else {
		n.tell("%s %s, and answers what it has", n.name(a.name), n.good("thaws"))
	}
}

// awaitDoubt waits until the router sends a worker nothing. It looks twice: a
// request can have been on its way when the router made up its mind.
func (s *script) awaitDoubt(ctx context.Context, name string) (v view, ok bool) {
	for end, doubts := time.Now().Add(freezePatience), 0; time.Now().Before(end); {
		v, err := s.router.look(ctx, name)
		if err == nil && v.Concurrency <= 0 {
			doubts++
		} else {
			doubts = 0
		}
		if doubts == 2 {
			return v, true
		}
		if !sleep(ctx, 50*time.Millisecond) {
			break
		}
	}
	return view{}, false
}

func waiting(requests int) string {
	switch requests {
	case 0:
		return "no request waits"
	case 1:
		return "1 request waits"
	default:
		return fmt.Sprintf("%d requests wait", requests)
	}
}
