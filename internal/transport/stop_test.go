package transport

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/exchange"
)

// A moment is a point in a round trip at which it is stopped.
type moment struct {
	name string
	// content is that of the request; nil is none.
	content func() *pieces
	// play is the endpoint's part, until the moment is there.
	play func(c *fakeConn) bool
}

// readHead reads a request's head; false at the end of the connection.
func readHead(c *fakeConn) bool {
	for {
		line, err := c.ReadString('\n')
		if err != nil || line == "\r\n" {
			return err == nil
		}
	}
}

var moments = []moment{
	{"while it waits for the response", nil, readHead},
	{"behind an interim response", nil, func(c *fakeConn) bool {
		return readHead(c) && c.say("HTTP/1.1 102 Processing\r\n\r\n")
	}},
	{"in the middle of the response's head", nil, func(c *fakeConn) bool {
		return readHead(c) && c.say("HTTP/1.1 200 OK\r\nContent-Le")
	}},
	{"while the client sends no more content", func() *pieces {
		p := newPieces("begin")
		p.endless = true
		return p
	}, readHead},
	{"while the endpoint takes no content", func() *pieces {
		large := strings.Repeat("x", 1<<20)
		return newPieces(large, large, large, large, large, large, large, large, large, large, large, large)
	}, readHead},
}

func TestStop_EndsARoundTripAtAnyMoment(t *testing.T) {
	for _, m := range moments {
		t.Run(m.name, func(t *testing.T) {
			serve := func(c *fakeConn) {
				if !m.play(c) {
					t.Error("the moment never came")
				}
				c.fake.reached <- struct{}{}
				<-c.fake.goOn
				c.gone()
				c.fake.closed <- struct{}{}
			}
			overEveryWiring(t, options(), serve, func(t *testing.T, endpoint *fake, tr *HTTP1) {
				x, c := newExchange("PUT"), &Call{Stop: new(Stop)}
				if m.content != nil {
					with(x, m.content())
				}
				x.Responder = discard{}
				ended := begin(tr, x, c)
				soon(t, "the moment has come", endpoint.reached)
				began := time.Now()
				c.Stop.Stop()
				c.Stop.Stop()
				f := soon(t, "the round trip has ended", ended)
				wantFailure(t, f, exchange.CodeCancelled)
				if !f.Sent {
					t.Error("the failure says that nothing was sent")
				}
				if took := time.Since(began); virtual(tr) && took != 0 {
					t.Errorf("it took %v to end", took)
				}
				close(endpoint.goOn)
				soon(t, "the endpoint sees its connection close", endpoint.closed)
				wantConnections(t, tr, 0, 0)
			})
		})
	}
}

// virtual reports whether tr reaches its endpoint in virtual time.
func virtual(tr *HTTP1) bool { return tr.options().Dialer.Connect != nil }

// discard is a client that takes everything.
type discard struct{}

func (discard) Inform(*exchange.Response) error  { return nil }
func (discard) Respond(*exchange.Response) error { return nil }

func TestStop_EndsADialAtAnyMoment(t *testing.T) {
	waits := func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	takesAll := func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			for {
				if _, err := theirs.Read(make([]byte, 1024)); err != nil {
					return
				}
			}
		}()
		return ours, nil
	}
	for what, change := range map[string]func(d *Dialer){
		"connecting":    func(d *Dialer) { d.Connect = waits },
		"the handshake": func(d *Dialer) { d.Connect, d.TLS = takesAll, &tls.Config{ServerName: "app"} },
		"resolving": func(d *Dialer) {
			d.Names = &Names{lookup: func(ctx context.Context, _ string) ([]netip.Addr, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}, stop: func() {}}
		},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := options()
				change(&o.Dialer)
				tr, c := NewHTTP1(o), &Call{Stop: new(Stop)}
				ended := begin(tr, newExchange("GET"), c)
				synctest.Wait()
				began := time.Now()
				c.Stop.Stop()
				f := <-ended
				wantFailure(t, f, exchange.CodeCancelled)
				if f.Sent {
					t.Error("the failure says that something was sent")
				}
				if took := time.Since(began); took != 0 {
					t.Errorf("it took %v to end %s", took, what)
				}
				tr.Close()
				wantConnections(t, tr, 0, 0)
			})
		})
	}
}

func TestStop_KeepsARoundTripFromBeginning(t *testing.T) {
	overEveryWiring(t, options(), answerAll, func(t *testing.T, f *fake, tr *HTTP1) {
		for _, kept := range []int{0, 1} {
			c := &Call{Stop: new(Stop)}
			c.Stop.Stop()
			failure := tr.RoundTrip(newExchange("GET"), c)
			wantFailure(t, failure, exchange.CodeCancelled)
			if failure.Sent {
				t.Error("the failure says that something was sent")
			}
			wantConnections(t, tr, 0, kept)
			if n := f.dials.Load(); n != int32(kept) {
				t.Errorf("a round trip that was stopped before it began led to a connection: there were %d", n)
			}
			if got := get(t, tr, "GET"); got != "1" {
				t.Errorf("the next request went over connection %s, want the first", got)
			}
		}
	})
}

func TestStop_EndsTheContentOfAResponse(t *testing.T) {
	for what, content := range map[string]string{"none of it": "", "part of it": "12345", "all of it": "1234567890"} {
		t.Run(what, func(t *testing.T) {
			serve := func(c *fakeConn) {
				c.request()
				_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n" + content))
				c.gone()
				c.fake.closed <- struct{}{}
			}
			overEveryWiring(t, options(), serve, func(t *testing.T, endpoint *fake, tr *HTTP1) {
				x, c := newExchange("GET"), &Call{Stop: new(Stop)}
				if f := tr.RoundTrip(x, c); f != nil {
					t.Fatal(f)
				}
				waiting := make(chan error)
				go func() {
					var err error
					for err == nil {
						_, err = c.Response.Body.Next(true)
					}
					waiting <- err
				}()
				c.Stop.Stop()
				soon(t, "reading content has ended", waiting)
				_, err := c.Response.Body.Next(false)
				wantFailure(t, asFailure(err, exchange.CodeResponseIncomplete), exchange.CodeCancelled)
				c.Close(x)
				wantConnections(t, tr, 0, 0)
				soon(t, "the endpoint sees its connection close", endpoint.closed)
			})
		})
	}
}

func TestStop_LeavesAConnectionAloneThatTheCallHasPartedWith(t *testing.T) {
	overEveryWiring(t, options(), answerAll, func(t *testing.T, _ *fake, tr *HTTP1) {
		x, c := newExchange("GET"), &Call{Stop: new(Stop)}
		if f := tr.RoundTrip(x, c); f != nil {
			t.Fatal(f)
		}
		readAll(t, c)
		c.Close(x)
		c.Stop.Stop()
		wantConnections(t, tr, 0, 1)
		if got := get(t, tr, "POST"); got != "1" {
			t.Errorf("the next request went over connection %s, want the one that was kept", got)
		}
	})
}

// TestStop_IsNotTakenForAConnectionThatTheEndpointHasClosed: that would be a reason
// to close those that are as old.
func TestStop_IsNotTakenForAConnectionThatTheEndpointHasClosed(t *testing.T) {
	serve := func(c *fakeConn) {
		if c.request() {
			c.answer()
		}
		if readHead(c) {
			c.fake.reached <- struct{}{}
			c.gone()
		}
	}
	overEveryWiring(t, options(), serve, func(t *testing.T, f *fake, tr *HTTP1) {
		together(t, tr, 2)
		c := &Call{Stop: new(Stop)}
		ended := begin(tr, newExchange("GET"), c)
		soon(t, "the endpoint has the request", f.reached)
		c.Stop.Stop()
		wantFailure(t, soon(t, "the round trip has ended", ended), exchange.CodeCancelled)
		wantConnections(t, tr, 0, 1)
		if n := f.dials.Load(); n != 2 {
			t.Errorf("there were %d connections, want the first two", n)
		}
	})
}

// TestStop_MayComeAtTheSameTimeAsTheEnd: whoever comes first, a kept connection is
// never one that was ended.
func TestStop_MayComeAtTheSameTimeAsTheEnd(t *testing.T) {
	f := newFake(answerAll)
	tr := f.overTCP(t, options())
	kept := 0
	for i := range 500 {
		x, c := newExchange("GET"), &Call{Stop: new(Stop)}
		var stopping sync.WaitGroup
		stopping.Go(func() {
			for range i { // later and later
				_, _ = tr.Connections()
			}
			c.Stop.Stop()
		})
		switch failure := tr.RoundTrip(x, c); {
		case failure == nil:
			_, _ = c.Response.Body.Next(true) // which is all of it
			_, _ = c.Response.Body.Next(true)
			c.Close(x)
		case failure.Code != exchange.CodeCancelled:
			t.Fatalf("it failed with %v", failure)
		}
		stopping.Wait()
		kept += wantFit(t, tr)
	}
	t.Logf("%d of 500 connections were kept", kept)
}

// wantFit fails the test if a connection is in use or one is kept that cannot
// carry a request, and returns how many are kept.
func wantFit(t *testing.T, tr *HTTP1) int {
	t.Helper()
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for _, l := range tr.idle {
		if l.conn().Watch().Ended() != conn.NotEnded {
			t.Error("a connection is kept whose work was ended")
		}
	}
	if n := tr.active.Load(); n != 0 {
		t.Errorf("%d connections are still in use", n)
	}
	return len(tr.idle)
}
