// Command chaosendpoint is a server for tests that do it harm: it keeps a ledger of
// what it executes, and misbehaves when told to.
//
// A request is for /ID?size=N, and is answered with ledger.Content. SIGUSR1 has it
// answer what it holds.
//
// With -attach it is a worker, which dials in to a router and takes its leave on
// SIGTERM. With -refuse it is one that takes no request at all.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/weirproxy/weir/test/real/ledger"
	"github.com/weirproxy/weir/worker"
)

// What the command line says.
type options struct {
	listen, name, ledger, manner string
	attach, instance             string
	refuse                       bool
}

func main() {
	var o options
	flag.StringVar(&o.listen, "listen", "127.0.0.1:0", "`address` to serve on")
	flag.StringVar(&o.name, "name", "endpoint", "what it is called in answers and in the ledger")
	flag.StringVar(&o.ledger, "ledger", os.DevNull, "`file` that gets a line for everything it executes")
	flag.StringVar(&o.manner, "manner", os.DevNull, "`file` with the manner in which it answers")
	flag.StringVar(&o.attach, "attach", "", "`router` to attach to, instead of serving on an address")
	flag.StringVar(&o.instance, "instance", "", "what it calls itself as a worker")
	flag.BoolVar(&o.refuse, "refuse", false, "take no request")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "chaosendpoint:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	if o.refuse {
		return refuse(o.attach, o.instance)
	}
	b, err := ledger.Open(o.ledger, o.name)
	if err != nil {
		return err
	}
	e := &endpoint{name: o.name, book: b, manner: o.manner, release: make(chan struct{})}
	go e.releaseOn(syscall.SIGUSR1)
	if o.attach != "" {
		return attach(o, e)
	}
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	fmt.Println("listening on", l.Addr())
	return http.Serve(l, e)
}

// attach serves as a worker until SIGTERM.
func attach(o options, e *endpoint) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	return worker.Serve(ctx, worker.Options{
		Routers:    []string{o.attach},
		Instance:   o.instance,
		OnAttached: func(router string) { fmt.Println("attached to", router) },
	}, e)
}

// releaseOn answers what is held when the signal comes, and holds nothing from
// then on.
func (e *endpoint) releaseOn(s os.Signal) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, s)
	<-signals
	close(e.release)
}
