package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/weirproxy/weir/test/real/ledger"
)

// An endpoint executes requests: it writes them down and answers.
type endpoint struct {
	name    string
	book    *ledger.Book
	manner  string // the file that has it
	release chan struct{}
}

// An answer is what is said to one request.
type answer struct {
	id      string
	header  http.Header
	content []byte
	pause   time.Duration // in the middle of it
}

// ServeHTTP implements http.Handler.
func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, err := e.execute(r)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	how := e.mannerFor(r, a)
	if how == hold && !e.hold(r, a.id) {
		panic(http.ErrAbortHandler) // there is nobody to answer
	}
	e.note(ledger.Answering, r.Method, a.id)
	if misbehave, ok := manners[how]; ok {
		misbehave(e.hijack(w), a)
		return
	}
	a.write(w)
}

// execute reads a request to its end, writes it down and returns its answer. One
// that does not come to its end is not executed.
func (e *endpoint) execute(r *http.Request) (answer, error) {
	received, err := io.ReadAll(r.Body)
	if err != nil {
		return answer{}, err
	}
	id := strings.TrimPrefix(r.URL.Path, "/")
	e.note(ledger.Begun, r.Method, id)
	size, _ := strconv.Atoi(r.URL.Query().Get("size"))
	a := e.answer(id, received, size)
	a.pause, _ = time.ParseDuration(r.URL.Query().Get("pause"))
	return a, nil
}

// note adds to the ledger. An endpoint that cannot has to end: what it did would
// be missing.
func (e *endpoint) note(event ledger.Event, method, id string) {
	if err := e.book.Add(event, method, id); err != nil {
		fmt.Fprintln(os.Stderr, "chaosendpoint: ledger:", err)
		os.Exit(1)
	}
}

func (e *endpoint) answer(id string, received []byte, size int) answer {
	content := ledger.Content(id, size)
	h := http.Header{}
	h.Set(ledger.FieldID, id)
	h.Set(ledger.FieldEndpoint, e.name)
	h.Set(ledger.FieldSum, ledger.Sum(content))
	h.Set(ledger.FieldReceived, ledger.Sum(received))
	h.Set("Content-Length", strconv.Itoa(len(content)))
	return answer{id: id, header: h, content: content}
}

// write answers as one should. Large content comes in two parts, and so does that
// with a pause, so that an endpoint may die between them.
func (a answer) write(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	first := a.content
	if len(first) > 16<<10 || a.pause > 0 {
		first = first[:len(first)/2]
	}
	_, _ = w.Write(first)
	if rest := a.content[len(first):]; len(rest) > 0 {
		_ = http.NewResponseController(w).Flush()
		time.Sleep(max(a.pause, 10*time.Millisecond))
		_, _ = w.Write(rest)
	}
}

// hold waits until the answer may go out, and reports whether it may: not if the
// connection is closed meanwhile. It says what it does, for a test to wait for.
func (e *endpoint) hold(r *http.Request, id string) bool {
	fmt.Println("holding", id)
	select {
	case <-e.release:
		return true
	case <-r.Context().Done():
		e.note(ledger.Left, r.Method, id)
		fmt.Println("left", id)
		return false
	}
}
