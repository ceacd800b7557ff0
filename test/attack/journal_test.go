package attack

import (
	"bytes"
	"log/slog"
	"regexp"
	"sync"
	"testing"
	"time"
)

// soon is how long anything may take that is to happen. It is only ever used up by
// a test that fails.
const soon = 20 * time.Second

// A journal keeps what the router logs, line by line.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// count returns how many lines match from there on, and where they end.
func (j *journal) count(from int, pattern *regexp.Regexp) (n, end int) {
	j.mu.Lock()
	text := j.text.Bytes()[from:j.text.Len():j.text.Len()] // which is only ever appended to
	j.mu.Unlock()
	return len(pattern.FindAllIndex(text, -1)), from + len(text)
}

// total returns how many lines match.
func (j *journal) total(pattern string) int {
	n, _ := j.count(0, regexp.MustCompile("(?m)"+pattern))
	return n
}

// await waits until n lines match. Lines are written whole.
func (j *journal) await(t *testing.T, n int, pattern string) {
	t.Helper()
	compiled := regexp.MustCompile("(?m)" + pattern)
	sum, at := j.count(0, compiled)
	for start := time.Now(); sum < n; time.Sleep(time.Millisecond) {
		more, end := j.count(at, compiled)
		sum, at = sum+more, end
		if sum < n && time.Since(start) > soon {
			t.Fatalf("%d lines of the log match %s, not %d:\n%s", sum, pattern, n, j.end())
		}
	}
}

// end is the last of what was logged.
func (j *journal) end() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	const most = 4 << 10
	text := j.text.Bytes()
	return string(text[max(0, len(text)-most):])
}
