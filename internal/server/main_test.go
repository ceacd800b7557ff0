package server

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/weirproxy/weir/internal/conn"
)

func TestMain(m *testing.M) {
	conn.Poison(true)
	goleak.VerifyTestMain(m)
}
