package dns

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// patience is how long a server is waited for that answers.
const patience = 20 * time.Second

// A server answers over UDP and TCP at one port, as respond says: any number of messages
// to a question; none is no answer.
type server struct {
	address string
	respond func(network string, question []byte) [][]byte

	mu    sync.Mutex
	asked []string // networks
}

func serve(t *testing.T, respond func(network string, question []byte) [][]byte) *server {
	t.Helper()
	s := &server{respond: respond}
	var packets net.PacketConn
	var streams net.Listener
	for range 100 { // until a port is free for both
		var err error
		if packets, err = net.ListenPacket("udp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		if streams, err = net.Listen("tcp", packets.LocalAddr().String()); err == nil {
			break
		}
		_ = packets.Close()
	}
	if streams == nil {
		t.Fatal("no port is free for both UDP and TCP")
	}
	s.address = streams.Addr().String()
	var serving sync.WaitGroup
	serving.Go(func() { s.servePackets(packets) })
	serving.Go(func() { s.serveStreams(streams, &serving) })
	t.Cleanup(func() {
		_, _ = packets.Close(), streams.Close()
		serving.Wait()
	})
	return s
}

func (s *server) servePackets(packets net.PacketConn) {
	b := make([]byte, 64<<10)
	for {
		n, from, err := packets.ReadFrom(b)
		if err != nil {
			return
		}
		for _, m := range s.answer("udp", b[:n]) {
			_, _ = packets.WriteTo(m, from)
		}
	}
}

func (s *server) serveStreams(streams net.Listener, serving *sync.WaitGroup) {
	for {
		conn, err := streams.Accept()
		if err != nil {
			return
		}
		serving.Go(func() {
			defer conn.Close()
			var length [2]byte
			if _, err := io.ReadFull(conn, length[:]); err != nil {
				return
			}
			b := make([]byte, binary.BigEndian.Uint16(length[:]))
			if _, err := io.ReadFull(conn, b); err != nil {
				return
			}
			for _, m := range s.answer("tcp", b) {
				_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(m))), m...))
			}
		})
	}
}

func (s *server) answer(network string, question []byte) [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, network)
	return s.respond(network, question)
}

func (s *server) networks() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.asked, " ")
}

// askedFor reads a question.
func askedFor(b []byte) (h dnsmessage.Header, q question, extended bool) {
	var m dnsmessage.Message
	if m.Unpack(b) != nil || len(m.Questions) != 1 {
		return h, q, false
	}
	return m.Header, question{m.Questions[0].Name.String(), m.Questions[0].Type}, len(m.Additionals) == 1
}

// plain answers with these addresses of web.example.
func plain(t *testing.T, lasts ...byte) func(string, []byte) [][]byte {
	return func(_ string, b []byte) [][]byte {
		h, q, _ := askedFor(b)
		var list []dnsmessage.Resource
		for _, last := range lasts {
			list = append(list, addressOf(q.name, last))
		}
		return [][]byte{answer(t, dnsmessage.Header{ID: h.ID, RecursionAvailable: true}, q, list)}
	}
}

func confOf(timeout time.Duration, servers ...*server) conf {
	c := conf{timeout: timeout, attempts: 1}
	for _, s := range servers {
		c.servers = append(c.servers, s.address)
	}
	return c
}

func TestClient_AsksOverUDP(t *testing.T) {
	s := serve(t, plain(t, 1, 2))
	r, err := new(client).ask(t.Context(), confOf(patience, s), webA)
	if err != nil || len(r.records) != 2 || r.ttl != time.Minute || s.networks() != "udp" {
		t.Errorf("it answers %v for %v over %s (%v)", r.records, r.ttl, s.networks(), err)
	}
}

func TestClient_PassesOverWhatDoesNotAnswerTheQuestion(t *testing.T) {
	s := serve(t, func(_ string, b []byte) [][]byte {
		h, q, _ := askedFor(b)
		forged := []dnsmessage.Resource{addressOf(q.name, 66)}
		return [][]byte{
			{},
			{1, 2, 3},
			b,
			answer(t, dnsmessage.Header{ID: h.ID + 1}, q, forged),
			answer(t, dnsmessage.Header{ID: h.ID}, question{"evil.example.", q.typ}, forged),
			plain(t, 1)("", b)[0],
		}
	})
	r, err := new(client).ask(t.Context(), confOf(patience, s), webA)
	if err != nil || len(r.records) != 1 || r.records[0].addr.String() != "10.0.0.1" {
		t.Errorf("among forged answers it takes %v (%v)", r.records, err)
	}
}

func TestClient_AsksOverTCPWhenTheAnswerIsTruncated(t *testing.T) {
	s := serve(t, func(network string, b []byte) [][]byte {
		h, q, _ := askedFor(b)
		if network == "udp" {
			return [][]byte{answer(t, dnsmessage.Header{ID: h.ID, Truncated: true}, q)}
		}
		return plain(t, make([]byte, 200)...)(network, b)
	})
	r, err := new(client).ask(t.Context(), confOf(patience, s), webA)
	if err != nil || len(r.records) != 200 || s.networks() != "udp tcp" {
		t.Errorf("it answers %d records over %s (%v), want 200 over udp, then tcp", len(r.records), s.networks(), err)
	}
}

func TestClient_AsksWithoutEDNS0WhoDoesNotKnowIt(t *testing.T) {
	s := serve(t, func(network string, b []byte) [][]byte {
		h, q, extended := askedFor(b)
		if extended {
			return [][]byte{answer(t, dnsmessage.Header{ID: h.ID, RCode: dnsmessage.RCodeFormatError}, q)}
		}
		return plain(t, 1)(network, b)
	})
	r, err := new(client).ask(t.Context(), confOf(patience, s), webA)
	if err != nil || len(r.records) != 1 {
		t.Errorf("it answers %v (%v)", r.records, err)
	}
}

func TestClient_AsksTheNextServerAndStaysThere(t *testing.T) {
	silent := serve(t, func(string, []byte) [][]byte { return nil })
	failing := serve(t, func(_ string, b []byte) [][]byte {
		h, q, _ := askedFor(b)
		return [][]byte{answer(t, dnsmessage.Header{ID: h.ID, RCode: dnsmessage.RCodeServerFailure}, q)}
	})
	closing := serve(t, func(network string, b []byte) [][]byte {
		h, q, _ := askedFor(b)
		if network == "tcp" {
			return nil
		}
		return [][]byte{answer(t, dnsmessage.Header{ID: h.ID, Truncated: true}, q)}
	})
	good := serve(t, plain(t, 1))
	c := new(client)
	// The good one has the same time as the silent one, so it is asked as often as that takes.
	for late := time.Now().Add(patience); ; {
		r, err := c.ask(t.Context(), confOf(time.Second, failing, silent, closing, good), webA)
		if err == nil && len(r.records) == 1 {
			break
		}
		if time.Now().After(late) {
			t.Fatalf("the last of several servers is not asked: %v", err)
		}
	}
	before := silent.networks()
	if r, err := c.ask(t.Context(), confOf(patience, failing, silent, closing, good), webA); err != nil || len(r.records) != 1 {
		t.Errorf("the second time it answers %v (%v)", r.records, err)
	}
	if silent.networks() != before {
		t.Error("the second time a server was asked that did not answer before")
	}

	_, err := new(client).ask(t.Context(), confOf(time.Second, failing, silent, closing), webA)
	for _, want := range []string{failing.address + ": it answers SERVFAIL", silent.address + ": no answer within 1s", closing.address + ": it closes"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("without a good server the error is %v, want %s in it", err, want)
		}
	}
}

func TestClient_SameOutageReadsTheSame(t *testing.T) {
	free, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.LocalAddr().String()
	_ = free.Close()
	c, conf := new(client), conf{servers: []string{address}, timeout: patience, attempts: 2}
	_, first := c.ask(t.Context(), conf, webA)
	_, second := c.ask(t.Context(), conf, webA)
	if first == nil || second == nil || first.Error() != second.Error() || !strings.Contains(first.Error(), "connection refused") {
		t.Errorf("an outage reads %v, then %v", first, second)
	}
}

func TestClient_FollowsAliasesToWhereTheAnswerDoesNot(t *testing.T) {
	s := serve(t, func(network string, b []byte) [][]byte {
		h, q, _ := askedFor(b)
		if q.name == "end.example." {
			return plain(t, 1)(network, b)
		}
		next := "end.example."
		if q.name == "loop.example." {
			next = "web.loop.example."
		} else if strings.HasSuffix(q.name, ".loop.example.") {
			next = "loop.example."
		}
		return [][]byte{answer(t, dnsmessage.Header{ID: h.ID, Authoritative: true}, q, []dnsmessage.Resource{alias(q.name, next, 7)})}
	})
	r, err := new(client).ask(t.Context(), confOf(patience, s), webA)
	if err != nil || len(r.records) != 1 || r.ttl != 7*time.Second {
		t.Errorf("it answers %v for %v (%v), want one address for the 7s of the alias", r.records, r.ttl, err)
	}
	if _, err := new(client).ask(t.Context(), confOf(patience, s), question{"loop.example.", dnsmessage.TypeA}); err == nil || !strings.Contains(err.Error(), "aliases") {
		t.Errorf("a loop of aliases ends with %v", err)
	}
}

func TestClient_EndsWithItsContext(t *testing.T) {
	silent := serve(t, func(string, []byte) [][]byte { return nil })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	before := time.Now()
	_, err := new(client).ask(ctx, conf{servers: []string{silent.address}, timeout: time.Hour, attempts: 2}, webA)
	if err == nil || time.Since(before) > patience {
		t.Errorf("it ends after %v with %v", time.Since(before), err)
	}
}
