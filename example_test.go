package weir_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/balance"
	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/endpoint"
	"github.com/weirproxy/weir/provider"
)

// says returns a server that says who it is and what it was asked for.
func says(name string) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s: %s", name, r.URL.Path)
	}))
}

// serve starts a proxy on a free port, and returns its URL and how to stop it.
func serve(c weir.Config, options ...weir.Option) (p *weir.Proxy, url string, stop func()) {
	c.Listeners = []config.Listener{{Address: "127.0.0.1:0"}}
	c.Admin.Off = true
	p, err := weir.New(c, options...)
	if err != nil {
		panic(err)
	}
	if err := p.Listen(); err != nil {
		panic(err)
	}
	served := make(chan error, 1)
	go func() { served <- p.Serve() }()
	return p, "http://" + p.Addresses()[0], func() {
		_ = p.Shutdown(context.Background())
		<-served
	}
}

func show(url string) {
	resp, err := http.Get(url)
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	fmt.Println(resp.StatusCode, strings.TrimSpace(string(text)))
}

// A proxy in front of two servers, which take turns.
func Example() {
	a, b := says("a"), says("b")
	defer a.Close()
	defer b.Close()

	p, err := weir.New(weir.Config{
		Listeners: []config.Listener{{Address: "127.0.0.1:0"}},
		Admin:     config.Admin{Off: true},
		Services: map[string]config.Service{"web": {
			Endpoints: []config.Endpoint{{URL: a.URL}, {URL: b.URL}},
		}},
	})
	if err != nil {
		panic(err)
	}
	if err := p.Listen(); err != nil { // or Serve alone, if nobody asks for the address
		panic(err)
	}
	served := make(chan error, 1)
	go func() { served <- p.Serve() }()

	show("http://" + p.Addresses()[0] + "/one")
	show("http://" + p.Addresses()[0] + "/two")

	_ = p.Shutdown(context.Background())
	fmt.Println(<-served)
	// Output:
	// 200 a: /one
	// 200 b: /two
	// <nil>
}

// A running proxy takes over another configuration whole, or not at all.
func ExampleProxy_Apply() {
	a, b := says("a"), says("b")
	defer a.Close()
	defer b.Close()
	to := func(url string) weir.Config {
		return weir.Config{
			Listeners: []config.Listener{{Address: "127.0.0.1:0"}},
			Admin:     config.Admin{Off: true},
			Services:  map[string]config.Service{"web": {Endpoints: []config.Endpoint{{URL: url}}}},
		}
	}
	p, url, stop := serve(to(a.URL))
	defer stop()
	show(url)
	fmt.Println(p.Apply(to(b.URL)))
	show(url)
	fmt.Println(p.Apply(to("b:80")))
	show(url)
	// Output:
	// 200 a: /
	// <nil>
	// 200 b: /
	// services.web.endpoints[0].url: "b:80" has no scheme; write http://b:80
	// 200 b: /
}

// A fleet is a source of endpoints that knows one of them from the beginning.
type fleet struct{ url string }

// Watch implements provider.Provider.
func (f fleet) Watch(ctx context.Context, update func(provider.Update)) error {
	address, err := endpoint.ParseAddress(f.url)
	if err != nil {
		return err
	}
	update(provider.Update{Endpoints: []endpoint.Endpoint{{Name: "only", Address: address, Version: "v1"}}})
	<-ctx.Done()
	return nil
}

// Endpoints that come from a program's own source; this one knows a version of
// service shop. Requests that come before it has told anything wait.
func ExampleWithProvider() {
	a := says("a")
	defer a.Close()
	_, url, stop := serve(weir.Config{
		Services: map[string]config.Service{"shop": {Split: map[string]int{"v1": 1}}},
	}, weir.WithProvider("shop", fleet{a.URL}))
	defer stop()
	show(url + "/cart")
	// Output: 200 a: /cart
}

// The service is named by the first label of the host.
func ExampleWithExtractor() {
	a, b := says("a"), says("b")
	defer a.Close()
	defer b.Close()
	_, url, stop := serve(weir.Config{
		Services: map[string]config.Service{
			"shop": {Endpoints: []config.Endpoint{{URL: a.URL}}},
			"blog": {Endpoints: []config.Endpoint{{URL: b.URL}}},
		},
		Routes: []config.Route{{Service: "blog"}},
	}, weir.WithExtractor(weir.ExtractorFunc(func(r weir.Request) (weir.Target, bool) {
		service, _, ok := strings.Cut(r.Host(), ".")
		return weir.Target{Service: service}, ok && service != "127"
	})))
	defer stop()
	req, _ := http.NewRequest(http.MethodGet, url+"/cart", nil)
	req.Host = "shop.example.com"
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	fmt.Println(string(text))
	show(url + "/news") // 127.0.0.1 is left to the routes
	// Output:
	// a: /cart
	// 200 b: /news
}

// A backup picks the first endpoint that is free, so that the others are used only
// when it is not.
type backup int

// Pick implements balance.Picker.
func (n backup) Pick(c balance.Candidates) int {
	for i := range int(n) {
		if c.Free(i) {
			return i
		}
	}
	return -1
}

// Endpoints that are chosen by a program's own policy.
func ExampleWithPolicy() {
	a, b := says("a"), says("b")
	defer a.Close()
	defer b.Close()
	_, url, stop := serve(weir.Config{
		Services: map[string]config.Service{"web": {Endpoints: []config.Endpoint{{URL: a.URL}, {URL: b.URL}}}},
	}, weir.WithPolicy("web", func(set []balance.Target, _ *atomic.Uint64) balance.Picker { return backup(len(set)) }))
	defer stop()
	show(url + "/1")
	show(url + "/2")
	// Output:
	// 200 a: /1
	// 200 a: /2
}

// Every try that counts against an endpoint is told, and so is every change of its
// condition; the client sees neither.
func ExampleProxy_Events() {
	a, b := says("a"), says("b")
	defer b.Close()
	failures := make(chan weir.Failure, 1)
	p, url, stop := serve(weir.Config{
		Services: map[string]config.Service{"web": {Endpoints: []config.Endpoint{{URL: a.URL, Name: "a"}, {URL: b.URL, Name: "b"}}}},
	}, weir.WithFailures(func(f weir.Failure) { failures <- f }))
	defer stop()
	events := p.Events(context.Background())
	a.Close()
	show(url)
	f := <-failures
	fmt.Println(f.Service, f.Endpoint, f.Count)
	for e := range events {
		fmt.Println(e.Type, e.Endpoint, e.From, e.To)
		break
	}
	// Output:
	// 200 b: /
	// web a 1
	// endpoint_state a up resting
}
