package observe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// A memory is a destination whose lines tests look at.
type memory struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (m *memory) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.buf.Write(p)
}

func (m *memory) String() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.buf.String()
}

func TestAccessLog_WritesWithinTheFlushInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := new(memory)
		o := newObserver(t, Options{Log: LogOptions{Writer: m}})
		for round := 1; round <= 3; round++ {
			o.Observe(newExchange())
			o.Observe(newExchange())
			time.Sleep(flushInterval - 1)
			if got := strings.Count(m.String(), "\n"); got != 2*(round-1) {
				t.Fatalf("round %d: written before the interval, not in a batch", round)
			}
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			if got := strings.Count(m.String(), "\n"); got != 2*round {
				t.Fatalf("round %d: %d lines after the interval, want %d", round, got, 2*round)
			}
			time.Sleep(time.Hour) // nothing to do, so nothing ticks
		}
	})
}

func TestAccessLog_AFullBufferIsWrittenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := new(memory)
		o := newObserver(t, Options{Log: LogOptions{Writer: m}})
		for range 2 * len(o.lanes.all) * batchBytes / 400 {
			o.Observe(newExchange())
		}
		synctest.Wait()
		if n := len(m.String()); n < batchBytes {
			t.Errorf("%d bytes are written, want a batch of %d", n, batchBytes)
		}
	})
}

func TestAccessLog_EveryLineIsWholeUnderConcurrency(t *testing.T) {
	const goroutines, each = 8, 2000
	m := new(memory)
	o, err := New(Options{Log: LogOptions{Writer: m}})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			x := newExchange()
			for i := range each {
				x.ID = fmt.Appendf(x.ID[:0], "%d-%d", g, i)
				x.Request.Path = append(x.Request.Path[:0], strings.Repeat("/long", i%50)...)
				o.Observe(x)
			}
		})
	}
	wg.Wait()
	closeObserver(t, o)
	seen := make(map[string]bool)
	for line := range strings.Lines(m.String()) {
		var members struct {
			EventID string `json:"event_id"`
		}
		if err := json.Unmarshal([]byte(line), &members); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		seen[members.EventID] = true
	}
	if len(seen) != goroutines*each || o.dropped.Load() != 0 {
		t.Errorf("%d different lines and %d dropped, want %d and 0", len(seen), o.dropped.Load(), goroutines*each)
	}
}

// A gateWriter takes nothing until it is opened.
type gateWriter struct {
	memory
	open chan struct{}
}

func (g *gateWriter) Write(p []byte) (int, error) {
	<-g.open
	return g.memory.Write(p)
}

func TestAccessLog_ABlockedDestinationLosesLinesAndHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gateWriter{open: make(chan struct{})}
		o := newObserver(t, Options{Log: LogOptions{Writer: g}})
		start := time.Now()
		const sent = 80_000 // about 38 MB
		x := newExchange()
		for range sent {
			o.Observe(x)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("observing took %v of waiting", took)
		}
		synctest.Wait()
		dropped := o.dropped.Load()
		if dropped == 0 {
			t.Fatal("nothing was dropped: memory has no bound")
		}
		close(g.open)
		closeObserver(t, o)
		lines := strings.Split(strings.TrimSpace(g.String()), "\n")
		var written, confessed uint64
		for _, line := range lines {
			var gap struct {
				Event string
				Lines uint64
			}
			if err := json.Unmarshal([]byte(line), &gap); err != nil {
				t.Fatalf("line %q: %v", line, err)
			}
			if gap.Event == "lines_dropped" {
				confessed += gap.Lines
			} else {
				written++
			}
		}
		if written+dropped != sent || confessed != dropped {
			t.Errorf("%d written and %d dropped of %d; the log says %d are missing", written, dropped, sent, confessed)
		}
	})
}

func TestAccessLog_CloseGivesUpOnAStuckDestination(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gateWriter{open: make(chan struct{})}
		o, err := New(Options{Log: LogOptions{Writer: g}})
		if err != nil {
			t.Fatal(err)
		}
		o.Observe(newExchange())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := o.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close: %v, want the deadline's error", err)
		}
		o.Observe(newExchange()) // is counted, and goes nowhere
		close(g.open)
	})
}

func TestAccessLog_RenameAndReopenLoseNoLine(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "access.log")
	o, err := New(Options{Log: LogOptions{Path: path, Format: FormatText}})
	if err != nil {
		t.Fatal(err)
	}
	const rotations, each = 5, 500
	var others sync.WaitGroup
	x := newExchange()
	for i := range rotations {
		for range each {
			o.Observe(x)
		}
		others.Go(func() { // while the file is renamed and opened again
			x := newExchange()
			for range each {
				o.Observe(x)
			}
		})
		if err := os.Rename(path, fmt.Sprintf("%s.%d", path, i)); err != nil {
			t.Fatal(err)
		}
		if err := o.Reopen(); err != nil {
			t.Fatalf("Reopen: %v", err)
		}
		if _, err := os.Stat(path); err != nil {
			t.Fatalf("after Reopen there is no new file: %v", err)
		}
	}
	others.Wait()
	closeObserver(t, o)
	files, _ := filepath.Glob(path + "*")
	const sent = 2 * rotations * each
	if lines := countLines(t, files...); len(files) != rotations+1 || lines != sent || o.dropped.Load() != 0 {
		t.Errorf("%d lines in %d files and %d dropped, of %d sent", lines, len(files), o.dropped.Load(), sent)
	}
}

// A swampedWriter gets more to write with every write, faster than it writes.
// It begins when it is told to, and stops for a while after some writes.
type swampedWriter struct {
	begin, goOn chan struct{}
	more        func()
	writes      int
}

func (s *swampedWriter) Write(p []byte) (int, error) {
	<-s.begin
	if s.writes++; s.writes == maxBatches {
		<-s.goOn
	} else if s.writes < maxBatches {
		s.more()
	}
	return len(p), nil
}

func TestAccessLog_ReopenDoesNotWaitForLinesThatComeLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &swampedWriter{begin: make(chan struct{}), goOn: make(chan struct{})}
		o := newObserver(t, Options{Log: LogOptions{Writer: s}})
		s.more = func() {
			x := newExchange()
			for range 2 * len(o.lanes.all) * batchBytes / 400 { // a buffer at least
				o.Observe(x)
			}
		}
		s.more()
		reopened := make(chan error, 1)
		go func() { reopened <- o.Reopen() }()
		synctest.Wait() // the writer waits to begin, Reopen for the writer
		close(s.begin)
		synctest.Wait()
		select {
		case err := <-reopened:
			if err != nil {
				t.Errorf("Reopen: %v", err)
			}
		default:
			t.Errorf("Reopen still waits after %d writes, because lines go on coming", maxBatches)
		}
		close(s.goOn)
	})
}

func countLines(t *testing.T, paths ...string) (lines int) {
	t.Helper()
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(content)) {
			if !strings.Contains(line, "dropped") {
				lines++
			}
		}
	}
	return lines
}

func TestAccessLog_ReopenKeepsTheOldFileIfTheNewOneFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	o := newObserver(t, Options{Log: LogOptions{Path: filepath.Join(dir, "access.log")}})
	moved := dir + ".moved"
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	if err := o.Reopen(); err == nil {
		t.Error("Reopen into a directory that is gone: no error")
	}
	o.Observe(newExchange())
	closeObserver(t, o)
	if n := countLines(t, filepath.Join(moved, "access.log")); n != 1 {
		t.Errorf("%d lines in the old file, want 1", n)
	}
	if err := o.Reopen(); err != nil {
		t.Errorf("Reopen when closed: %v", err)
	}
}

func TestObserver_ReplacesTheAccessLogWithoutLosingLines(t *testing.T) {
	first, second := new(memory), new(memory)
	o := newObserver(t, Options{Log: LogOptions{Writer: first}})
	const sent = 3000
	var wg sync.WaitGroup
	wg.Go(func() {
		x := newExchange()
		for range sent {
			o.Observe(x)
		}
	})
	if err := o.SetAccessLog(LogOptions{Writer: second, Format: "xml"}); err == nil {
		t.Error("an unknown format is taken")
	}
	for _, m := range []*memory{second, first, second, second} {
		if err := o.SetAccessLog(LogOptions{Writer: m}); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
	closeObserver(t, o)
	waitFor(t, func() bool {
		return strings.Count(first.String(), "\n")+strings.Count(second.String(), "\n") == sent
	})
	if err := o.SetAccessLog(LogOptions{}); err == nil {
		t.Error("a closed observer opens an access log")
	}
}

// waitFor waits for what goroutines do that nobody waits for.
func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !condition(); {
		if time.Now().After(deadline) {
			t.Fatal("it did not come to that")
		}
		time.Sleep(time.Millisecond)
	}
}

func TestObserver_OffLogsNothing(t *testing.T) {
	m := new(memory)
	o := newObserver(t, Options{Log: LogOptions{Writer: m, Format: FormatOff}})
	o.Observe(newExchange())
	if err := o.Reopen(); err != nil {
		t.Errorf("Reopen: %v", err)
	}
	closeObserver(t, o)
	if m.String() != "" {
		t.Errorf("off writes %q", m.String())
	}
}

func TestObserver_NewFailsWithoutItsFile(t *testing.T) {
	if _, err := New(Options{Log: LogOptions{Path: t.TempDir()}}); err == nil {
		t.Error("a directory is taken for a file")
	}
}

func TestObserve_AllocatesNothing(t *testing.T) {
	failed := newExchange()
	failed.Outcome.Failure = exchange.Fail(exchange.CodeConnectTimeout, "within 1s", nil)
	failed.Outcome.Endpoint, failed.Outcome.Index = "", -1
	retried := newExchange()
	retried.Outcome.Queued = time.Millisecond
	retried.Outcome.Tries = []exchange.Try{
		{Endpoint: "http://10.0.0.20:8000", Failure: exchange.Fail(exchange.CodeConnectFailed, "", errors.New("refused"))},
		{Endpoint: "http://10.0.0.21:8000", Status: 503},
	}
	for _, format := range []Format{FormatJSON, FormatText, FormatOff} {
		o := newObserver(t, Options{Log: LogOptions{Format: format, Writer: io.Discard}})
		o.Service("web").Retain([]string{"http://10.0.0.20:8000"})
		for _, x := range []*exchange.Exchange{newExchange(), failed, retried} {
			if n := testing.AllocsPerRun(2000, func() { o.Observe(x) }); n != 0 {
				t.Errorf("%s: %v allocations for an exchange, want 0", format, n)
			}
		}
	}
}
