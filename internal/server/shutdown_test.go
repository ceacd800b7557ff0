package server

import (
	"context"
	"testing"
)

func TestShutdown_SucceedsWithoutTimeWhereNothingIsOpen(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 { // a select of two that are ready takes either
		if err := New(options()).Shutdown(over); err != nil {
			t.Fatalf("with nothing to wait for, Shutdown returns %v", err)
		}
	}
}
