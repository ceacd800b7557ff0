package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Options say how the demo runs. The zero value of each but Out is of use.
type Options struct {
	// Out is where the narrator writes.
	Out io.Writer
	// Colour lets it use a terminal's colours.
	Colour bool
	// Quiet leaves out the line for each request.
	Quiet bool
	// Listen is the address of the router, on loopback. If empty, it is
	// 127.0.0.1:8080, or the next port that is free.
	Listen string
	// For ends the demo after that long. If 0, its context does.
	For time.Duration

	pace pace
}

// A pace is how fast things happen.
type pace struct {
	request      time.Duration // from one request to the next
	early        time.Duration // how long some wait for the router
	pause        time.Duration // from one act to the next
	away         time.Duration // of who was killed, or has left
	still        time.Duration // how long one stays frozen when the router has noticed
	slow, leaver time.Duration // what they take for an answer
	tally        time.Duration // from one running tally to the next
}

// readable is a pace that can be followed by reading.
var readable = pace{
	request: 200 * time.Millisecond,
	early:   400 * time.Millisecond,
	pause:   time.Second,
	away:    2 * time.Second,
	still:   2 * time.Second,
	slow:    300 * time.Millisecond,
	leaver:  150 * time.Millisecond,
	tally:   5 * time.Second,
}

// Check says what is wrong with the options.
func (o Options) Check() error {
	if o.Listen == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return fmt.Errorf("%q is not an address; write 127.0.0.1:port", o.Listen)
	}
	ip, err := netip.ParseAddr(host)
	if host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return fmt.Errorf("%q is not on loopback, and a demo is not meant for others; write 127.0.0.1:port", o.Listen)
	}
	return nil
}

// Run runs the demo until ctx is done or its time is over; neither is an error.
func Run(ctx context.Context, o Options) error {
	if err := o.Check(); err != nil {
		return err
	}
	if o.pace == (pace{}) {
		o.pace = readable
	}
	stage, err := findStage(o.Listen)
	if err != nil {
		return err
	}
	if o.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.For)
		defer cancel()
	}
	n := newNarrator(o)
	cast := newCast(o.pace, n)
	n.introduce(cast)
	r, err := begin(ctx, o.pace, stage, cast, n)
	if err != nil {
		return errors.Join(err, cast.leave())
	}
	n.invite(r)
	return play(ctx, o.pace, cast, r, n)
}

// begin has some workers dial in, and then opens the router: the order is free.
func begin(ctx context.Context, pace pace, s stage, c *cast, n *narrator) (*router, error) {
	c.doorstep.expect(s.attach)
	c.knock(ctx)
	sleep(ctx, pace.early)
	r, err := openRouter(s, slog.New(&listener{narrator: n}))
	if err == nil {
		c.doorstep.open(r.attach)
	}
	return r, err
}

// play has everything happen until ctx is done or the router fails.
func play(ctx context.Context, pace pace, cast *cast, r *router, n *narrator) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	served := make(chan error, 1)
	go func() {
		err := r.serve()
		served <- err
		stop(err)
	}()
	cast.enter()
	t := newTally()
	s := &script{cast: cast, router: r, tally: t, narrator: n, pace: pace}
	var acting sync.WaitGroup
	acting.Go(func() { s.play(ctx) })
	newTraffic(r.url, t, n).flow(ctx, pace)
	acting.Wait()
	n.over.Store(true)
	err := errors.Join(cast.leave(), r.close(), <-served)
	n.conclude(t, s.record)
	return err
}
