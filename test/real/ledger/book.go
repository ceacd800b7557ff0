package ledger

import (
	"fmt"
	"os"
	"time"
)

// A Book is a ledger that is being written. Several goroutines may use it.
type Book struct {
	file     *os.File
	endpoint string
}

// Open opens the ledger of an endpoint, to go on where the process before left
// off.
func Open(path, endpoint string) (*Book, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return &Book{file: f, endpoint: endpoint}, nil
}

// Add adds a line. When it returns, the line is with the kernel and stays even if
// the process is killed in the next moment. It is a single write, so that lines do
// not mix and none is torn.
func (b *Book) Add(event Event, method, id string) error {
	e := Entry{At: time.Now(), Event: event, Method: method, ID: id, Endpoint: b.endpoint}
	_, err := fmt.Fprintln(b.file, e)
	return err
}

// Close closes the file.
func (b *Book) Close() error { return b.file.Close() }
