package demo

import (
	"log/slog"
	"net"
	"testing"
)

func TestOpenRouter_MovesFromPortsThatAreBusyMeanwhile(t *testing.T) {
	s, err := findStage("")
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{s.clients, s.attach, s.admin} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Skipf("somebody else was faster: %v", err)
		}
		defer l.Close()
	}
	r, err := openRouter(s, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if r.url == "http://"+s.clients || r.attach == s.attach || r.admin == "http://"+s.admin {
		t.Errorf("the router is on %s, %s and %s, want none of %+v", r.url, r.attach, r.admin, s)
	}
	if err := r.close(); err != nil {
		t.Error(err)
	}
}
