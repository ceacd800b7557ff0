// Bench measures Weir beside nginx, HAProxy and Caddy: the proxy's own CPU time a request,
// requests/s, latency and memory, for several kinds of work.
//
// A run starts the endpoints, the proxies and a load generator as processes of their own:
// the proxy on one core, load and endpoints on another. Rounds are interleaved, and the
// report gives medians with their ratios to nginx and to HAProxy. See README.md.
//
//	go run ./bench                     # everything, about a quarter of an hour
//	go run ./bench -quick              # under three minutes
//	go run ./bench -kinds small -peers weir,nginx
//	go run ./bench -profile 30s        # load Weir, to attach a profiler
//	go run ./bench -syscalls           # system calls per request
//
// The subcommands endpoint, worker, load and sink are the processes that a run starts.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"

	"golang.org/x/sys/unix"
)

func main() {
	// Children are told to die with the thread that started them, and are born with its
	// affinity: let that be the main thread, always.
	runtime.LockOSThread()
	err := run(os.Args[1:])
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "endpoint":
			return runEndpoint(args[1:])
		case "worker":
			return runWorker(args[1:])
		case "load":
			return runLoad(args[1:])
		case "sink":
			return runSink(args[1:])
		}
	}
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
	defer stop()
	r, err := newRig(ctx, o.nice)
	if err != nil {
		return err
	}
	defer r.close()
	s := &session{rig: r, options: o}
	s.dropMissing()
	switch {
	case len(s.everybody()) == 0:
		return errors.New("there is nothing to measure")
	case o.syscalls:
		return s.eachPeer(s.countSyscalls)
	case o.profile > 0:
		return s.eachPeer(s.profilePeer)
	}
	return s.report()
}
