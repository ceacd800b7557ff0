package attack

import (
	"os"
	"runtime"
	"runtime/metrics"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"
)

// A gauge is what a process uses.
type gauge struct{ goroutines, descriptors int }

func measure() gauge {
	return gauge{runtime.NumGoroutine(), descriptors()}
}

// descriptors counts those that are open; 0 where that cannot be known.
func descriptors() int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(list)
}

// awaitReturn waits until no more is used than before.
func (before gauge) awaitReturn(t *testing.T) {
	t.Helper()
	var now gauge
	for start := time.Now(); time.Since(start) < soon; time.Sleep(2 * time.Millisecond) {
		if now = measure(); now.goroutines <= before.goroutines && now.descriptors <= before.descriptors {
			return
		}
	}
	var stacks strings.Builder
	_ = pprof.Lookup("goroutine").WriteTo(&stacks, 1)
	t.Errorf("after the attack there are %d goroutines and %d descriptors, before it %d and %d:\n%s",
		now.goroutines, now.descriptors, before.goroutines, before.descriptors, stacks.String())
}

const heapMetric = "/memory/classes/heap/objects:bytes"

// heap returns the bytes of objects, with those that are not collected yet.
func heap() uint64 {
	sample := []metrics.Sample{{Name: heapMetric}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// A peak is the most that the heap has been since it was begun.
type peak struct {
	before, most uint64
	stop         chan struct{}
	ended        sync.WaitGroup
}

func watchHeap() *peak {
	runtime.GC()
	p := &peak{before: heap(), stop: make(chan struct{})}
	p.ended.Go(func() {
		for {
			p.most = max(p.most, heap())
			select {
			case <-p.stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
	return p
}

// grown ends the watch, and returns by how much the heap has grown at most.
func (p *peak) grown() uint64 {
	close(p.stop)
	p.ended.Wait()
	return max(p.most, p.before) - p.before
}
