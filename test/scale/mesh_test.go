//go:build unix

package scale

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	sdk "github.com/weirproxy/weir/worker"
)

func TestMesh_GoesOnWithoutOneOfItsRouters(t *testing.T) {
	n := size(20, 20, 6)
	routers := []*router{startRouter(t), startRouter(t), startRouter(t)}
	var addresses []string
	for _, r := range routers {
		addresses = append(addresses, r.attach)
	}
	attachReal(t, addresses, n)
	for i, r := range routers {
		r.awaitEndpoints(t, n)
		everybodyServes(t, i, r, n)
	}

	const few = 1000
	answers := newLedger()
	var load sync.WaitGroup
	for _, r := range routers[1:] {
		load.Go(func() { send(answers, "http://"+r.clients+"/", size(20*few, 2*few, few/5), 8) })
	}
	routers[0].kill()
	load.Wait()
	answers.check(t)

	for i, r := range routers[1:] {
		r.awaitEndpoints(t, n)
		everybodyServes(t, i+1, r, n)
	}
	routers[0].start(t)
	back := time.Now()
	routers[0].awaitEndpoints(t, n)
	t.Logf("%d workers of three routers were back at the one that was killed after %v", n, time.Since(back).Round(time.Millisecond))
	everybodyServes(t, 0, routers[0], n)
}

// attachReal attaches workers that are programs of the library's users.
func attachReal(t *testing.T, routers []string, n int) {
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	for i := range n {
		name := fmt.Sprintf("w%d", i)
		answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) })
		serving.Go(func() {
			if err := sdk.Serve(ctx, sdk.Options{Routers: routers, Instance: name}, answer); err != nil {
				t.Errorf("worker %s: %v", name, err)
			}
		})
	}
	t.Cleanup(func() {
		cancel()
		serving.Wait()
	})
}

// everybodyServes sends five requests for each worker through a router.
func everybodyServes(t *testing.T, number int, r *router, n int) {
	t.Helper()
	answers := newLedger()
	send(answers, "http://"+r.clients+"/", 5*n, 4)
	answers.check(t)
	if len(answers.byName) != n {
		t.Errorf("through router %d %d of %d workers serve", number, len(answers.byName), n)
	}
}
