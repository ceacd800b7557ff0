package demo

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A narrator tells what happens, a line at a time, with the time since the start.
type narrator struct {
	colour, quiet bool
	start         time.Time
	over          atomic.Bool // what workers do now is the end of the demo

	mu  sync.Mutex
	out io.Writer
}

func newNarrator(o Options) *narrator {
	return &narrator{colour: o.Colour, quiet: o.Quiet, start: time.Now(), out: o.Out}
}

// tell writes one line.
func (n *narrator) tell(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	fmt.Fprintf(n.out, "%6.1fs  %s\n", time.Since(n.start).Seconds(), fmt.Sprintf(format, args...))
}

// tellRequest writes a line about one request, unless it is to be quiet.
func (n *narrator) tellRequest(format string, args ...any) {
	if !n.quiet {
		n.tell(format, args...)
	}
}

// introduce says who is there.
func (n *narrator) introduce(c *cast) {
	n.mu.Lock()
	defer n.mu.Unlock()
	fmt.Fprint(n.out, `A router as weir run makes it, and workers, all in this process. A worker needs no port:
it dials in to the router, and answers the requests that come over its connection.

`)
	for _, a := range c.actors {
		fmt.Fprintf(n.out, "  %s   %s\n", n.nameWide(a.name), a.part)
	}
	fmt.Fprintln(n.out)
}

// invite says where the router is and what to try.
func (n *narrator) invite(r *router) {
	n.tell("the router is up: clients on %s, workers on %s, admin page and API on %s", r.url, r.attach, r.admin)
	n.mu.Lock()
	defer n.mu.Unlock()
	fmt.Fprintf(n.out, `
Try it, in another terminal:

  curl %s/
  curl %s/v1/services

attach a server of your own to it, say one that listens on port 3000:

  weir attach --to %s http://localhost:3000

and see who is there, in a browser: %s/

A few requests a second come from here; Ctrl-C ends it.

`, r.url, r.admin, r.attach, r.admin)
}

// conclude says how it went.
func (n *narrator) conclude(t *tally, r record) {
	n.tell("%s", n.strong("the end: "+t.String()))
	var list []string
	for _, e := range []struct {
		text  string
		times int
	}{{"mortal was killed", r.killed}, {"leaver left", r.left}, {"freezer froze", r.frozen}} {
		if e.times > 0 {
			list = append(list, e.text+" "+times(e.times))
		}
	}
	if len(list) > 0 {
		n.tell("meanwhile %s", strings.Join(list, ", "))
	}
	n.tell("%s", t.verdict())
}

// Colours of a terminal (ECMA-48).
const (
	red     = 31
	green   = 32
	yellow  = 33
	blue    = 34
	magenta = 35
	cyan    = 36
	bold    = 1
)

func (n *narrator) paint(colour int, text string) string {
	if !n.colour {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", colour, text)
}

func (n *narrator) good(text string) string   { return n.paint(green, text) }
func (n *narrator) bad(text string) string    { return n.paint(red, text) }
func (n *narrator) strong(text string) string { return n.paint(bold, text) }

// name is a worker's name in its colour.
func (n *narrator) name(name string) string { return n.paint(colourOf(name), name) }

// nameWide is name, as wide as a column.
func (n *narrator) nameWide(name string) string {
	return n.paint(colourOf(name), fmt.Sprintf("%-8s", name))
}

func colourOf(name string) int {
	switch name {
	case "steady-1", "steady-2", "late":
		return cyan
	case "slow":
		return yellow
	case "freezer":
		return blue
	default:
		return magenta
	}
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
