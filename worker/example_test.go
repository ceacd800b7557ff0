package worker_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"time"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/worker"
)

// A router, a worker that dials in to it, and a client. The router knows nothing
// of the worker, and the worker has no port.
func Example() {
	router, err := startRouter()
	if err != nil {
		log.Fatal(err)
	}

	ctx, stop := context.WithCancel(context.Background())
	left := make(chan error, 1)
	go func() {
		left <- worker.Serve(ctx, worker.Options{
			Routers: []string{router.AttachAddress()},
		}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "a worker has got %s over %s", r.URL.Path, r.Proto)
		}))
	}()

	// The request waits for the worker, if that is not there yet.
	client := new(http.Client)
	resp, err := client.Get("http://" + router.Addresses()[0] + "/greeting")
	if err != nil {
		log.Fatal(err)
	}
	text, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	client.CloseIdleConnections()
	fmt.Println(string(text))

	stop() // as signal.NotifyContext does on SIGTERM
	fmt.Println("left:", <-left)

	stopRouter(router)
	// Output:
	// a worker has got /greeting over HTTP/2.0
	// left: <nil>
}

func startRouter() (*weir.Proxy, error) {
	c := config.Zero()
	c.Listeners[0].Address = "127.0.0.1:0"
	c.Attach.Address = "127.0.0.1:0"
	c.Admin.Off = true
	router, err := weir.New(*c)
	if err != nil {
		return nil, err
	}
	if err := router.Listen(); err != nil {
		return nil, err
	}
	go func() {
		if err := router.Serve(); err != nil {
			log.Print(err)
		}
	}()
	return router, nil
}

func stopRouter(router *weir.Proxy) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := router.Shutdown(ctx); err != nil {
		log.Print(err)
	}
}

// A WebSocket comes as an extended CONNECT (RFC 8441). The handler answers 200, and
// then reads frames of RFC 6455 from the request's content and writes its own.
func ExampleServe_webSocket() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Header.Get(":protocol") != "websocket" {
			http.Error(w, "this is for WebSockets", http.StatusUpgradeRequired)
			return
		}
		w.WriteHeader(http.StatusOK)
		control := http.NewResponseController(w)
		_ = control.Flush() // the client hears that it may begin
		buf := make([]byte, 4096)
		for {
			n, err := r.Body.Read(buf)
			if err != nil {
				return // the client has said its last, or left
			}
			fmt.Println("got", n, "bytes of frames")
			_ = control.Flush() // after each Write
		}
	})
	_ = worker.Serve(context.Background(), worker.Options{Routers: []string{"https://router.example.com"}}, handler)
}
