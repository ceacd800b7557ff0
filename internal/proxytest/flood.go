package proxytest

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// A flood is a lot of content written in the background. Its bytes follow from
// their places, so that one lost, doubled or exchanged is noticed.
type flood struct {
	written atomic.Int64
	over    atomic.Bool
}

const floodPiece = 16 << 10

// pattern is what a flood repeats. Its length is a prime number, so that the
// places of buffers and the places in it are never in step.
var pattern = newPattern(65537)

func newPattern(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = 'a' + byte((i^i>>7^i>>13)%26)
	}
	return p
}

// fillPattern fills p with the bytes that belong at offset.
func fillPattern(p []byte, offset int64) {
	for len(p) > 0 {
		n := copy(p, pattern[offset%int64(len(pattern)):])
		p = p[n:]
		offset += int64(n)
	}
}

// startFlood writes n bytes in the background, as chunks if chunked.
func (e *end) startFlood(n int64, chunked bool) {
	e.flood.written.Store(0)
	e.flood.over.Store(false)
	e.writing.Go(func() {
		defer e.flood.over.Store(true)
		buf := make([]byte, floodPiece)
		for sent := int64(0); sent < n; {
			p := buf[:min(n-sent, floodPiece)]
			fillPattern(p, sent)
			out := p
			if chunked {
				out = fmt.Appendf(nil, "%x\r\n%s\r\n", len(p), p)
			}
			if !e.write(out) {
				return
			}
			sent += int64(len(p))
			e.flood.written.Store(sent)
		}
	})
}

// wantFlood reads n bytes of content and checks that they are the pattern's.
func (e *end) wantFlood(n int64) error {
	want := make([]byte, 64<<10)
	for got := int64(0); got < n; {
		data, err := e.content(int(min(int64(len(want)), n-got)))
		fillPattern(want[:len(data)], got)
		if string(data) != string(want[:len(data)]) {
			return fmt.Errorf("within %d bytes behind byte %d the content is not what was sent", len(data), got)
		}
		got += int64(len(data))
		if err == io.EOF && got < n {
			return fmt.Errorf("the content ended after %d of %d bytes", got, n)
		}
		if err != nil && err != io.EOF {
			return fmt.Errorf("after %d of %d bytes: %w", got, n, err)
		}
	}
	return nil
}

// startEcho sends content back as it comes, n bytes of it, in the background.
func (e *end) startEcho(n int64) {
	e.writing.Go(func() {
		for got := int64(0); got < n; {
			data, err := e.content(floodPiece)
			if err != nil || !e.write(data) {
				return
			}
			got += int64(len(data))
		}
	})
}

// stalled waits until a flood gets no further, and returns how far it got. A
// machine that is busy makes it look earlier, which only makes the number smaller.
func (e *end) stalled(pause time.Duration) (int64, error) {
	for deadline := time.Now().Add(e.patience); time.Now().Before(deadline); {
		before := e.flood.written.Load()
		time.Sleep(pause)
		switch {
		case e.flood.over.Load():
			return 0, fmt.Errorf("all %d bytes were written: nothing holds the sender back", before)
		case e.flood.written.Load() == before && before > 0:
			return before, nil
		}
	}
	return 0, errTooLong
}

// size parses a number of bytes: 100, 64KiB, 2MiB.
func size(s string) (int64, error) {
	unit := int64(1)
	for suffix, u := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20} {
		if t, ok := strings.CutSuffix(s, suffix); ok {
			s, unit = t, u
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a size", s)
	}
	return n * unit, nil
}
