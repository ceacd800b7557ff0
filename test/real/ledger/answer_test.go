package ledger

import (
	"net/http"
	"strings"
	"testing"
)

// answer is what an endpoint that behaves answers with.
func answer(id string, received []byte, size int) (http.Header, []byte) {
	content := Content(id, size)
	h := http.Header{}
	h.Set(FieldID, id)
	h.Set(FieldSum, Sum(content))
	h.Set(FieldReceived, Sum(received))
	return h, content
}

func TestCheck_TakesTheRightAnswer(t *testing.T) {
	for _, size := range []int{0, 1, 5, 1000} {
		h, content := answer("1-1", []byte("sent"), size)
		if err := Check("1-1", []byte("sent"), size, h, content); err != nil {
			t.Errorf("the right answer of %d bytes is refused: %v", size, err)
		}
	}
}

func TestCheck_RefusesWhatBelongsToAnotherRequest(t *testing.T) {
	sent := []byte("sent")
	for name, tc := range map[string]struct {
		alter func(http.Header, []byte) []byte
		says  string
	}{
		"another id": {func(h http.Header, c []byte) []byte { h.Set(FieldID, "2-2"); return c }, `"2-2"`},
		"no id":      {func(h http.Header, c []byte) []byte { h.Del(FieldID); return c }, "for request"},
		"content cut short": {func(_ http.Header, c []byte) []byte {
			return c[:50]
		}, "checksum"},
		"content of another": {func(h http.Header, _ []byte) []byte {
			c := Content("2-2", 100)
			h.Set(FieldSum, Sum(c))
			return c
		}, "not that of the request"},
		"other content received": {func(h http.Header, c []byte) []byte {
			h.Set(FieldReceived, Sum([]byte("other")))
			return c
		}, "received other content"},
	} {
		h, content := answer("1-1", sent, 100)
		content = tc.alter(h, content)
		if err := Check("1-1", sent, 100, h, content); err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("of an answer with %s the check says %v, want something about %s", name, err, tc.says)
		}
	}
}
