//go:build unix

package scale

import (
	"fmt"
	"os"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	raised := raiseDescriptors()
	if os.Getenv(routerEnv) != "" {
		os.Exit(runRouter())
	}
	descriptors = raised
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// descriptors is how many a process of these tests may have.
var descriptors int

// raiseDescriptors raises the limit as far as it may be, and returns it.
func raiseDescriptors() int {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return 256
	}
	l.Cur = l.Max
	_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l)
	_ = syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l)
	return int(min(l.Cur, 1<<20))
}

// long reports whether the figures are wanted, and time does not matter.
func long() bool { return os.Getenv("WEIR_SCALE") != "" }

// size returns how many there are to be of something: when figures are wanted, as a
// rule, and in a hurry.
func size(figures, rule, hurry int) int {
	switch {
	case long():
		return figures
	case testing.Short():
		return hurry
	}
	return rule
}

// spare is how many descriptors a process needs for what are no workers.
const spare = 200

// affordable is how many of n connections of workers, each of them so many to a
// process, the limit of descriptors allows.
func affordable(t *testing.T, n, each int) int {
	t.Helper()
	most := max(10, (descriptors-spare)/each)
	if n > most {
		t.Logf("%d workers instead of %d: a process may have %d descriptors here", most, n, descriptors)
	}
	return min(n, most)
}
