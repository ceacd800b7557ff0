// Hello is a worker: it dials in to a router, and greets. Its argument is its name.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/weirproxy/weir/worker"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: hello NAME")
	}
	name := os.Args[1]
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := worker.Serve(ctx, worker.Options{
		Routers:    []string{"127.0.0.1:7000"},
		Instance:   name,
		OnAttached: func(router string) { log.Printf("%s is attached to %s", name, router) },
	}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Worker", name)
		_, _ = fmt.Fprintf(w, "Hello from %s\n", name)
	}))
	if err != nil {
		log.Fatal(err)
	}
}
