// Services-and-versions is a router by name and version, made with the library: a
// request for /NAME/VERSION/rest goes to an endpoint of that version, as /rest. Which
// endpoints there are, a registry of its own says, and it may change while it runs.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
)

func main() {
	only := flag.Bool("servers", false, "run nothing but the servers behind it, for weir.yaml")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *only); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, only bool) error {
	failed := make(chan error, 4)
	for _, address := range []string{"127.0.0.1:9091", "127.0.0.1:9092"} {
		go func() { failed <- http.ListenAndServe(address, echo(address)) }()
	}
	if only {
		return first(ctx, failed)
	}
	known := NewRegistry()
	for _, address := range []string{"127.0.0.1:9091", "127.0.0.1:9092"} {
		if err := known.Add("serviceone", "v1", address); err != nil {
			return err
		}
	}
	proxy, err := newProxy(known)
	if err != nil {
		return err
	}
	if err := proxy.Listen(); err != nil {
		return err
	}
	go func() { failed <- proxy.Serve() }()
	go func() { failed <- http.ListenAndServe("127.0.0.1:9099", office(known)) }()
	log.Printf("listening on %v; the registry is on 127.0.0.1:9099", proxy.Addresses())
	err = first(ctx, failed)
	end, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return errors.Join(err, proxy.Shutdown(end))
}

// first waits for the first failure, or to be told to stop.
func first(ctx context.Context, failed <-chan error) error {
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

func newProxy(known *Registry) (*weir.Proxy, error) {
	return weir.New(weir.Config{
		Listeners: []config.Listener{{Address: "127.0.0.1:9090"}},
		Admin:     config.Admin{Off: true},
	},
		weir.WithProvider("serviceone", known.Provider("serviceone")),
		weir.WithExtractor(weir.ExtractorFunc(nameAndVersion)),
		weir.WithFailures(func(f weir.Failure) {
			log.Printf("error accessing %s (%s), for the %d. time: %v", f.Service, f.Endpoint, f.Count, f.Err)
		}),
	)
}

// nameAndVersion reads /NAME/VERSION/rest. What has no version is left to the routes,
// of which there are none.
func nameAndVersion(r weir.Request) (weir.Target, bool) {
	name, rest, _ := strings.Cut(strings.TrimPrefix(r.Path(), "/"), "/")
	version, rest, _ := strings.Cut(rest, "/")
	return weir.Target{Service: name, Version: version, Path: "/" + rest}, name != "" && version != ""
}

// office shows the registry and changes it, on an address of its own: a service may
// be called health.
func office(known *Registry) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(known.All())
	})
	mux.HandleFunc("PUT /{service}/{version}/{endpoint}", func(w http.ResponseWriter, r *http.Request) {
		if err := known.Add(r.PathValue("service"), r.PathValue("version"), r.PathValue("endpoint")); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	})
	mux.HandleFunc("DELETE /{service}/{version}/{endpoint}", func(_ http.ResponseWriter, r *http.Request) {
		known.Delete(r.PathValue("service"), r.PathValue("version"), r.PathValue("endpoint"))
	})
	return mux
}

// echo says who it is, and what it was asked for.
func echo(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(name + " " + r.RequestURI + "\n"))
	})
}
