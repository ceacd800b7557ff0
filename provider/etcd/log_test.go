package etcd

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"go.uber.org/zap"
)

func TestLogger_PassesOnForDebuggingAlone(t *testing.T) {
	var text bytes.Buffer
	level := new(slog.LevelVar)
	log := newLogger(slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: level})))
	log.Error("lost", zap.Error(errors.New("reset")))
	if text.Len() > 0 {
		t.Errorf("what the client calls an error is logged at level info: %s", &text)
	}
	level.Set(slog.LevelDebug)
	log.With(zap.String("server", "a")).Warn("lost", zap.Error(errors.New("reset")), zap.Int("try", 2))
	for _, want := range []string{"level=DEBUG", `msg="etcd: lost"`, "server=a", "error=reset", "try=2"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the log has no %s: %s", want, &text)
		}
	}
}
