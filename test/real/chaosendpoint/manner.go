package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/weirproxy/weir/test/real/ledger"
)

// hold is the manner in which every answer waits for SIGUSR1.
const hold = "hold"

// manners are the ways to misbehave: what is done with the connection of a request
// that was read.
var manners = map[string]func(*session, answer){
	"noise":  func(s *session, _ answer) { s.close([]byte("SSH-2.0-OpenSSH_9.6\r\n")) },
	"torn":   func(s *session, a answer) { s.close(a.wire(0)[:40]) },
	"short":  func(s *session, a answer) { s.close(a.wire(100)) },
	"long":   func(s *session, a answer) { s.goOn(append(a.wire(0), "and a few bytes more\r\n\r\n"...)) },
	"twice":  func(s *session, a answer) { s.goOn(append(a.wire(0), intruder.wire(0)...)) },
	"leaves": func(s *session, a answer) { s.close(a.wire(0)) },
	"snubs":  func(s *session, _ answer) { s.close(nil) },
}

// atOnce are the manners that send what was not asked for behind an answer. It has
// to arrive together with it: nobody can tell bytes that come later from the answer
// to the next request.
var atOnce = map[string]bool{"long": true, "twice": true}

// What arrives together: a packet between networks, and much more on loopback, where
// it is also more than a proxy reads at once.
const (
	onePacket   = 400
	oneLoopback = 20_000
)

// arrivesAtOnce reports whether an answer may have something behind it.
func arrivesAtOnce(r *http.Request, a answer) bool {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		return len(a.content) <= oneLoopback
	}
	return len(a.content) <= onePacket
}

// intruder is an answer that no client may ever see.
var intruder = func() answer {
	content := ledger.Content("intruder", 0)
	h := http.Header{}
	h.Set(ledger.FieldID, "intruder")
	h.Set(ledger.FieldSum, ledger.Sum(content))
	h.Set("Content-Length", fmt.Sprint(len(content)))
	return answer{id: "intruder", header: h, content: content}
}()

// mannerFor returns the manner for a request; none: answer as one should. Every
// other request is treated well, as that makes for more ways to get confused.
func (e *endpoint) mannerFor(r *http.Request, a answer) string {
	text, err := os.ReadFile(e.manner)
	how := strings.TrimSpace(string(text))
	switch {
	case err != nil || how == "":
		return ""
	case how != hold && ledger.Hash(a.id)%2 == 0, atOnce[how] && !arrivesAtOnce(r, a):
		return ""
	default:
		return how
	}
}

// wire is the answer as it goes over the wire, its length overstated by missing
// bytes.
func (a answer) wire(missing int) []byte {
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 200 OK\r\n")
	h := a.header.Clone()
	h.Set("Content-Length", fmt.Sprint(len(a.content)+missing))
	_ = h.Write(&b)
	b.WriteString("\r\n")
	b.Write(a.content)
	return b.Bytes()
}
