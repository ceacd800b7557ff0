package weir_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
)

// A reverse proxy for several hosts, within a program that has a server already.
func ExampleProxy_ServeHTTP() {
	shop, blog := hostCalled("shop"), hostCalled("blog")
	defer shop.Close()
	defer blog.Close()

	proxy, err := weir.New(weir.Config{
		Routes: []config.Route{
			{Match: config.Match{Host: "shop.example"}, Service: "shop"},
			{Match: config.Match{Host: "*.blog.example"}, Service: "blog"},
		},
		Services: map[string]config.Service{
			"shop": {Endpoints: []config.Endpoint{{URL: shop.URL}}},
			"blog": {Endpoints: []config.Endpoint{{URL: blog.URL}}},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer proxy.Shutdown(context.Background())
	server := httptest.NewServer(proxy)
	defer server.Close()

	fmt.Println(fetchFrom(server.URL, "shop.example"))
	fmt.Println(fetchFrom(server.URL, "alice.blog.example"))
	// Output:
	// this is shop, asked for shop.example
	// this is blog, asked for alice.blog.example
}

func hostCalled(name string) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "this is %s, asked for %s", name, r.Host)
	}))
}

func fetchFrom(url, host string) string {
	req, _ := http.NewRequest("GET", url, nil)
	req.Host = host
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return string(text)
}
