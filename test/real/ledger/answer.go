package ledger

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
)

// The fields of an answer.
const (
	FieldID       = "X-Id"       // of the request that it answers
	FieldSum      = "X-Sum"      // the Sum of the answer's content
	FieldReceived = "X-Received" // the Sum of the request's content
	FieldEndpoint = "X-Endpoint" // who answered
)

// Content is what the answer to a request has: its id, and then bytes that follow
// from the id. It has size bytes, or as many as the id takes if those are more.
func Content(id string, size int) []byte {
	content := append(make([]byte, 0, max(size, len(id)+1)), id+"\n"...)
	source := rand.New(rand.NewPCG(uint64(Hash(id)), 0))
	for len(content) < size {
		content = append(content, 'a'+byte(source.Uint32()%26))
	}
	return content
}

// Hash is a number that follows from an id.
func Hash(id string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	return h.Sum32()
}

// Sum is a checksum.
func Sum(content []byte) string {
	return fmt.Sprintf("%08x", crc32.ChecksumIEEE(content))
}

// Check says what is wrong with an answer to the request of that id, which carried
// the content sent and wanted size bytes; nil if nothing is.
func Check(id string, sent []byte, size int, header http.Header, content []byte) error {
	switch {
	case header.Get(FieldID) != id:
		return fmt.Errorf("the answer is for request %q", header.Get(FieldID))
	case header.Get(FieldSum) != Sum(content):
		return fmt.Errorf("the content has the checksum %s, its field says %q", Sum(content), header.Get(FieldSum))
	case !bytes.Equal(content, Content(id, size)):
		return fmt.Errorf("the content is not that of the request: %d bytes, %.40q…", len(content), content)
	case header.Get(FieldReceived) != Sum(sent):
		return fmt.Errorf("the endpoint has received other content than was sent: its checksum is %q, not %s", header.Get(FieldReceived), Sum(sent))
	default:
		return nil
	}
}
