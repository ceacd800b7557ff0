package observe

import (
	"context"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/weirproxy/weir/internal/exchange"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newExchange returns a plain exchange that ended just now.
func newExchange() *exchange.Exchange {
	const duration = 1234567 * time.Nanosecond
	addr := netip.MustParseAddr("192.0.2.7")
	return &exchange.Exchange{
		Request: exchange.Request{
			MethodName: []byte("GET"),
			Method:     exchange.MethodGet,
			Authority:  []byte("shop.example.com"),
			Path:       []byte("/api/cart"),
			Query:      []byte("item=1&n=2"),
			HasQuery:   true,
			Minor:      1,
			Header: exchange.Header{
				{Name: []byte("Host"), Value: []byte("shop.example.com"), ID: exchange.FieldHost},
				{Name: []byte("User-Agent"), Value: []byte("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"), ID: exchange.FieldUserAgent},
				{Name: []byte("Accept"), Value: []byte("*/*")},
				{Name: []byte("Referer"), Value: []byte("https://shop.example.com/"), ID: exchange.FieldReferer},
				{Name: []byte("traceparent"), Value: []byte("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), ID: exchange.FieldTraceparent},
			},
		},
		Client: exchange.Client{
			Peer:     netip.AddrPortFrom(addr, 40123),
			Addr:     addr,
			PeerText: []byte("192.0.2.7"),
			Listener: ":8080",
		},
		ID:    []byte("7f3a-00000001"),
		Start: exchange.Now() - duration,
		Gone:  new(atomic.Bool),
		Outcome: exchange.Outcome{
			Service: "web", Endpoint: "http://10.0.0.20:8000", Index: 2,
			Status: 200, Attempts: 1, ResponseBytes: 512, Duration: duration,
		},
	}
}

// newObserver returns an Observer that is closed when the test ends, after which
// all its lines are written.
func newObserver(t testing.TB, options Options) *Observer {
	t.Helper()
	o, err := New(options)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(func() { closeObserver(t, o) })
	return o
}

func closeObserver(t testing.TB, o *Observer) {
	t.Helper()
	if err := o.Close(context.Background()); err != nil {
		t.Errorf("Close: %v", err)
	}
}
