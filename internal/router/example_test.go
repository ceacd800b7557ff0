package router_test

import (
	"fmt"
	"strings"

	"github.com/weirproxy/weir/internal/router"
)

func Example() {
	table, err := router.New([]router.Route[string]{
		{Path: "/{service}/{version}/*", Target: "named"},
		{Host: "*.example.com", Path: "/api/*", Methods: []string{"GET"}, Target: "api"},
	})
	if err != nil {
		panic(err)
	}

	var m router.Match[string]
	show := func(host, path, method string) {
		switch table.Match([]byte(host), []byte(path), []byte(method), nil, &m) {
		case router.Found:
			service, _ := m.Capture("service")
			fmt.Println(strings.TrimSpace(*m.Target + " " + string(service)))
		case router.MethodNotAllowed:
			fmt.Printf("405, Allow: %s\n", m.AppendAllow(nil))
		case router.NoRoute:
			fmt.Println("404")
		}
	}
	show("www.example.com:8080", "/api/users", "GET")
	show("www.example.com", "/api/users", "POST")
	show("www.example.com", "/api", "POST")
	show("localhost", "/api", "GET")
	// Output:
	// api
	// named api
	// 405, Allow: GET, HEAD
	// 404
}

// A caller may turn candidates down: here, a service that nobody serves.
func ExampleMatch_Next() {
	table, err := router.New([]router.Route[string]{
		{Path: "/*", Target: "default"},
		{Path: "/{service}/{version}/*", Target: "named"},
	})
	if err != nil {
		panic(err)
	}
	known := map[string]bool{"shop": true}

	var m router.Match[string]
	for _, path := range []string{"/shop/v1/x", "/static/css/x"} {
		v := table.Match(nil, []byte(path), []byte("GET"), nil, &m)
		for ; v == router.Found; v = m.Next() {
			if service, ok := m.Capture("service"); ok && !known[string(service)] {
				continue
			}
			break
		}
		fmt.Println(path, *m.Target)
	}
	// Output:
	// /shop/v1/x named
	// /static/css/x default
}

func ExamplePrefix() {
	prefix, err := router.NewPrefix("/{service}/{version}", "/{service}/{version}/*")
	if err != nil {
		panic(err)
	}
	rest, _ := prefix.Strip([]byte("/shop/v1/x%2Fy"))
	fmt.Println(string(rest))
	// Output: /x%2Fy
}
