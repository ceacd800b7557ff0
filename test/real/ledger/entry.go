package ledger

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// An Event is what an endpoint did with a request.
type Event string

// The events of a request at an endpoint.
const (
	// Begun: the whole request has been read.
	Begun Event = "begun"
	// Answering: the first byte of an answer is about to be written.
	Answering Event = "answering"
	// Left: whoever asked closed the connection instead of waiting.
	Left Event = "left"
)

// An Entry is one line of a ledger.
type Entry struct {
	At       time.Time
	Event    Event
	Method   string
	ID       string // of the request
	Endpoint string // whose ledger it is
}

// String is the line that Parse reads, without its end.
func (e Entry) String() string {
	return fmt.Sprintf("%d %s %s %s %s", e.At.UnixNano(), e.Event, e.Method, e.ID, e.Endpoint)
}

// Parse reads one line.
func Parse(line string) (Entry, error) {
	words := strings.Fields(line)
	if len(words) != 5 {
		return Entry{}, fmt.Errorf("not an entry of a ledger: %q", line)
	}
	nanos, err := strconv.ParseInt(words[0], 10, 64)
	if err != nil {
		return Entry{}, fmt.Errorf("no time in %q: %w", line, err)
	}
	return Entry{At: time.Unix(0, nanos), Event: Event(words[1]), Method: words[2], ID: words[3], Endpoint: words[4]}, nil
}

// Read returns what a ledger has; none if there is no file.
func Read(path string) ([]Entry, error) {
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var entries []Entry
	for in := bufio.NewScanner(f); ; {
		if !in.Scan() {
			return entries, in.Err()
		}
		e, err := Parse(in.Text())
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
}
