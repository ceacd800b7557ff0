//go:build real

package real

import (
	"fmt"
	"os"
	"testing"
	"time"
)

// Figures are what a process takes.
type figures struct{ descriptors, goroutines, memory int } // memory in KiB

func (f figures) String() string {
	return fmt.Sprintf("%d descriptors, %d goroutines, %d KiB", f.descriptors, f.goroutines, f.memory)
}

func (p *proxy) figures(t *testing.T) figures {
	t.Helper()
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.pid()))
	if err != nil {
		t.Fatal(err)
	}
	return figures{
		descriptors: len(fds),
		goroutines:  int(p.metric(t, "go_goroutines")),
		memory:      p.memory(t, "VmRSS"),
	}
}

// settle waits until the process takes no more than most, now that nobody asks it
// for anything.
func (p *proxy) settle(t *testing.T, most figures) {
	t.Helper()
	late, tick := time.After(2*patience), time.NewTicker(100*time.Millisecond)
	defer tick.Stop()
	for {
		now := p.figures(t)
		if now.descriptors <= most.descriptors && now.goroutines <= most.goroutines && now.memory <= most.memory {
			t.Logf("afterwards weir has %v", now)
			return
		}
		select {
		case <-late:
			t.Errorf("afterwards weir has %v, and does not come down to %v", now, most)
			return
		case <-tick.C:
		}
	}
}
