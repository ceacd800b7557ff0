package proxytest

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"sync"
)

// serving is the requests that an endpoint answers by itself, because the script
// does not know when they come, or because there are many.
type serving struct {
	mu     sync.Mutex
	lines  map[string]int // METHOD target, and the status; 0: no answer at all
	served int
}

var serveForm = regexp.MustCompile(`^(\S+ \S+) ([0-9]{3}|never)$`)

// begin has such requests answered with a status from now on, or never:
// METHOD target STATUS.
func (s *serving) begin(args string) error {
	m := serveForm.FindStringSubmatch(args)
	if m == nil {
		return errors.New("want `serve METHOD target STATUS`, or never for the status")
	}
	status, _ := strconv.Atoi(m[2]) // never is 0
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lines == nil {
		s.lines = map[string]int{}
	}
	s.lines[m[1]] = status
	return nil
}

// answer takes a request off what has arrived, if it is one of those, and returns
// what is to be said to it.
func (s *serving) answer(in []byte) (rest, answer []byte) {
	if s == nil {
		return in, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	line, _, _ := bytes.Cut(in, []byte(" HTTP/1.1\r\n"))
	status, known := s.lines[string(line)]
	_, rest, whole := bytes.Cut(in, []byte("\r\n\r\n"))
	if !known || !whole {
		return in, nil
	}
	s.served++
	if status == 0 {
		return rest, nil
	}
	return rest, fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nContent-Length: 0\r\n\r\n", status, http.StatusText(status))
}

func (s *serving) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.served
}
