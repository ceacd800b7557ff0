// Servers is three servers that are quick, slow, and in between, and that fail when
// the path says so.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// A server is one of them. It says how many requests it has got, so that it is seen
// who else was asked.
type server struct {
	name, address string
	delay         time.Duration
	failing       map[string]int // the status of its answers to a path
	asked         atomic.Int64
}

func main() {
	servers := []*server{
		{name: "one", address: "127.0.0.1:9001", failing: map[string]int{"/busy": 503, "/missing": 404, "/down": 500}},
		{name: "two", address: "127.0.0.1:9002", delay: time.Second, failing: map[string]int{"/missing": 404, "/down": 501}},
		{name: "three", address: "127.0.0.1:9003", delay: 100 * time.Millisecond, failing: map[string]int{"/down": 502}},
	}
	failed := make(chan error)
	for _, s := range servers {
		go func() { failed <- http.ListenAndServe(s.address, s) }()
	}
	log.Fatal(<-failed)
}

// ServeHTTP implements http.Handler.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := s.asked.Add(1)
	content, _ := io.ReadAll(r.Body) // so that it is seen, too, when the client leaves
	select {
	case <-time.After(s.delay):
	case <-r.Context().Done():
		log.Printf("%s: nobody waits for %s any more", s.name, r.URL)
		return
	}
	w.Header().Set("X-Server", s.name)
	if status, ok := s.failing[r.URL.Path]; ok {
		w.WriteHeader(status)
	}
	said := ""
	if len(content) > 0 {
		said = fmt.Sprintf(", with %q", strings.TrimSpace(string(content)))
	}
	_, _ = fmt.Fprintf(w, "%s answers %s, its request %d%s\n", s.name, r.URL, n, said)
}
