package main

import (
	"bufio"
	"net"
	"net/http"

	"github.com/weirproxy/weir/test/real/ledger"
)

// A session is a connection that was taken from the server, to say on it what the
// server would not.
type session struct {
	endpoint *endpoint
	conn     net.Conn
	in       *bufio.Reader
}

func (e *endpoint) hijack(w http.ResponseWriter) *session {
	c, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return &session{endpoint: e, conn: c, in: rw.Reader}
}

// close says one thing and closes.
func (s *session) close(last []byte) {
	_, _ = s.conn.Write(last)
	_ = s.conn.Close()
}

// goOn says one thing, and then answers further requests as if nothing had
// happened, so that whoever sends them may take one answer for another.
func (s *session) goOn(said []byte) {
	defer s.conn.Close()
	for {
		if _, err := s.conn.Write(said); err != nil {
			return
		}
		r, err := http.ReadRequest(s.in)
		if err != nil {
			return
		}
		a, err := s.endpoint.execute(r)
		if err != nil {
			return
		}
		s.endpoint.note(ledger.Answering, r.Method, a.id)
		said = a.wire(0)
	}
}
