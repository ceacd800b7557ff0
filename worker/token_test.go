package worker_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/weirproxy/weir/internal/attach"
	"github.com/weirproxy/weir/internal/transport"
	"github.com/weirproxy/weir/worker"
)

// spellings are ways to ask for what only the first request of a router gets.
var spellings = []string{
	attach.WorkerPath, attach.WorkerPath + "?", attach.WorkerPath + "/", attach.WorkerPath + "?a=b",
	"/.well-known/weir/%77orker", "/.well-known/%77eir/worker", "/%2Ewell-known/weir/worker",
	"/.well-known/weir//worker", "/.well-known//weir/worker", "//.well-known/weir/worker",
	"/./.well-known/weir/worker", "/x/../.well-known/weir/worker", "/.well-known/weir/./worker",
	"/.well-known/weir/WORKER", "/.Well-Known/weir/worker", "/.well-known/weir/worker%00",
	"/.well-known\\weir\\worker", "/.well-known/weir/worker;x", "/.well-known%2Fweir%2Fworker",
}

func TestToken_IsSaidOnceAtMost(t *testing.T) {
	for _, p := range []worker.Protocol{worker.PTTH, worker.RH2, worker.RHTTP} {
		t.Run(p.String(), func(t *testing.T) {
			ca := newAuthority(t)
			g := openGate(t, attach.Options{TLS: ca.server(t)}, tokens)
			serve(t, worker.Options{
				Routers: []string{"https://" + g.address}, Protocol: p, Service: "web", Token: "alpha-token",
				TLS: ca.client(t, map[worker.Protocol]string{worker.RHTTP: "worker.example.com"}[p]),
			}, http.HandlerFunc(hello))
			c := g.next().Conn // over rh2, its first request is over
			for _, path := range spellings {
				for _, method := range []string{"GET", "HEAD", "POST"} {
					ctx, cancel := context.WithTimeout(t.Context(), bound)
					status, text, err := transport.Ask(ctx, c, method, path, 1<<20)
					cancel()
					if err != nil {
						t.Fatalf("%s %s is not answered: %v", method, path, err)
					}
					handled := status == 200 && (method == "HEAD" || string(text) == method+" "+path+" ")
					if strings.Contains(string(text), "alpha") || !handled && status != 404 {
						t.Errorf("%s %s is answered with %d %q, neither by the handler nor with 404", method, path, status, text)
					}
				}
			}
		})
	}
}

// TestToken_IsOnlyForTheFirstRequest lets a router ask late: its second request may
// run before the first is over, and still gets nothing.
func TestToken_IsOnlyForTheFirstRequest(t *testing.T) {
	ca := newAuthority(t)
	reversed := acceptReversed(t, ca)
	serve(t, worker.Options{
		Routers: []string{"https://" + reversed.address}, Protocol: worker.RH2, Service: "web", Token: "alpha-token", TLS: ca.client(t, ""),
	}, http.HandlerFunc(hello))
	f := reversed.begin(t)
	f.request(t, 1, ":method", "GET", ":scheme", "http", ":path", "/first", ":authority", "x")
	f.request(t, 3, ":method", "GET", ":scheme", "http", ":path", attach.WorkerPath, ":authority", "x", "weir-first-request", "1")
	seen := map[uint32]string{}
	for ended := 0; ended < 2; {
		switch kind, flags, stream, payload := f.read(t); kind {
		case frameData:
			seen[stream] += string(payload)
			if flags&flagEndStream > 0 {
				ended++
			}
		case frameReset, frameGoAway:
			t.Fatalf("stream %d is ended with %x", stream, payload)
		}
	}
	if seen[1] != "GET /first " || !strings.Contains(seen[3], "404") {
		t.Errorf("the answers are %v", seen)
	}
}
