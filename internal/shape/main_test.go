package shape

import (
	"testing"

	"go.uber.org/goleak"
)

// Nothing here starts a goroutine, decoders of zstd included.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
