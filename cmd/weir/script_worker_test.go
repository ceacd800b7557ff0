package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/weirproxy/weir/worker"
)

// startWorker attaches a worker that answers its name, and writes into NAME.worker
// what becomes of that.
func startWorker(ts *testscript.TestScript, args []string) error {
	name := args[0]
	out, err := os.Create(ts.MkAbs(name + ".worker"))
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	var mu sync.Mutex
	say := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(out, format+"\n", args...)
	}
	answer := func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name+"\n") }
	ended := make(chan error, 1)
	go func() {
		ended <- worker.Serve(ctx, worker.Options{
			Routers: []string{args[1]}, Token: args[2], Service: args[3], Instance: name,
			OnAttached: func(string) { say("attached") },
			OnRefused:  func(_ string, r *worker.Refusal) { say("refused %d %s", r.Status, r.Code) },
		}, http.HandlerFunc(answer))
	}()
	ts.Defer(func() {
		stop()
		if err := <-ended; err != nil {
			ts.Logf("worker %s: %v", name, err)
		}
		out.Close()
	})
	return nil
}
