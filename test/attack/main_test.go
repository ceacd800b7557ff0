package attack

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rounds is how often something is done: less in -short.
func rounds(full int) int {
	if testing.Short() {
		return max(1, full/10)
	}
	return full
}
