//go:build unix

package scale

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
)

// This file is the process of a router: the test binary itself, started again. It
// is what "weir run" is, and tells what it takes.

// routerEnv has the addresses of a router's listeners: for clients, for workers and
// for whoever runs it.
const routerEnv = "WEIR_SCALE_ROUTER"

// profileEnv names a file that the router writes a profile of its processor time to.
const profileEnv = "WEIR_SCALE_PROFILE"

// usage is what a router takes.
type usage struct {
	Resident    int           // bytes of memory
	Heap        int           // bytes in use, after a collection if one was asked for
	Stack       int           // bytes of stacks
	Goroutines  int           // all of them
	Descriptors int           // open ones
	CPU         time.Duration // so far
}

func (u usage) minus(v usage) usage {
	return usage{
		u.Resident - v.Resident, u.Heap - v.Heap, u.Stack - v.Stack,
		u.Goroutines - v.Goroutines, u.Descriptors - v.Descriptors, u.CPU - v.CPU,
	}
}

// What is said to a router, on its standard input; it ends when that does. It
// answers with its usage on the first file besides the standard ones.
const (
	sayUsage     = "usage"
	sayCollected = "collected" // after a collection
)

func runRouter() int {
	if path := os.Getenv(profileEnv); path != "" {
		f, err := os.Create(path)
		if err != nil || pprof.StartCPUProfile(f) != nil {
			return 1
		}
		defer f.Close()
		defer pprof.StopCPUProfile()
	}
	p, err := openRouter(strings.Fields(os.Getenv(routerEnv)))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	served := make(chan error, 1)
	go func() { served <- p.Serve() }()
	obey(os.NewFile(3, "answers"))
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err = p.Shutdown(ctx)
	if err == nil {
		err = <-served
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func openRouter(addresses []string) (*weir.Proxy, error) {
	c := config.Zero()
	c.Listeners[0].Address, c.Attach.Address = addresses[0], addresses[1]
	c.Admin = config.Admin{Address: addresses[2]}
	p, err := weir.New(*c, weir.WithLogger(slog.New(slog.NewTextHandler(os.Stderr, nil))))
	if err != nil {
		return nil, err
	}
	return p, p.Listen()
}

// obey answers what is asked on standard input, until its end.
func obey(answers *os.File) {
	defer answers.Close()
	out := json.NewEncoder(answers)
	_ = out.Encode(usage{}) // it is up
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		if in.Text() == sayCollected {
			runtime.GC()
			runtime.GC() // what finalizers let go of, and pools
		}
		if out.Encode(ownUsage()) != nil {
			return
		}
	}
}

func ownUsage() usage {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return usage{
		Resident: resident(), Heap: int(m.HeapAlloc), Stack: int(m.StackInuse),
		Goroutines: runtime.NumGoroutine(), Descriptors: openDescriptors(),
		CPU: time.Duration(r.Utime.Nano() + r.Stime.Nano()),
	}
}

// resident is the memory of the process that is in use; 0 where there is no /proc.
func resident() int {
	text, _ := os.ReadFile("/proc/self/statm")
	words := strings.Fields(string(text))
	if len(words) < 2 {
		return 0
	}
	pages, _ := strconv.Atoi(words[1])
	return pages * os.Getpagesize()
}

func openDescriptors() int {
	list, _ := os.ReadDir("/dev/fd")
	return len(list)
}
