package demo

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// The cast is all actors.
type cast struct {
	doorstep doorstep
	actors   []*actor // in the order of the introduction
	early    []*actor // dial in before there is a router
	late     *actor   // dials in when the others have been there for a while
	mortal   *actor
	leaver   *actor
	freezer  *actor
}

func newCast(pace pace, n *narrator) *cast {
	c := new(cast)
	add := func(name, part string) *actor {
		a := &actor{name: name, part: part, narrator: n, doorstep: &c.doorstep, early: make(chan struct{})}
		c.actors = append(c.actors, a)
		return a
	}
	steady := add("steady-1", "answers at once, and starts before the router does")
	add("steady-2", "answers at once")
	slow := add("slow", fmt.Sprintf("takes %v for an answer, and starts before the router, too", pace.slow))
	slow.takes = pace.slow
	c.mortal = add("mortal", "is killed with a request in its hands, and starts again")
	c.late = add("late", "dials in when the others have been there for a while")
	c.leaver = add("leaver", "leaves gracefully with a request in its hands, and comes back")
	c.leaver.takes = pace.leaver
	c.freezer = add("freezer", "freezes: its connection stays open, and silent")
	c.early = []*actor{steady, slow}
	return c
}

// knock has those dial in who do not wait for the router, and returns when they
// have found that it is not there, or ctx is done.
func (c *cast) knock(ctx context.Context) {
	for _, a := range c.early {
		a.enter()
	}
	for _, a := range c.early {
		select {
		case <-a.early:
		case <-ctx.Done():
		}
	}
}

// enter has the others dial in, but for the one who is late.
func (c *cast) enter() {
	for _, a := range c.actors {
		if a.life == nil && a != c.late {
			a.enter()
		}
	}
}

// leave has all leave, gracefully.
func (c *cast) leave() error {
	errs := make([]error, len(c.actors))
	var leaving sync.WaitGroup
	for i, a := range c.actors {
		leaving.Go(func() { errs[i] = a.leave() })
	}
	leaving.Wait()
	return errors.Join(errs...)
}
