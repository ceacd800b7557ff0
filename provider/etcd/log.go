package etcd

import (
	"context"
	"log/slog"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// A relay passes what the client logs on to the log of whoever uses it. All of it is
// for debugging: what matters is told as an outage.
type relay struct {
	log *slog.Logger
}

func newLogger(log *slog.Logger) *zap.Logger { return zap.New(relay{log}) }

// Enabled implements zapcore.Core.
func (r relay) Enabled(zapcore.Level) bool {
	return r.log.Enabled(context.Background(), slog.LevelDebug)
}

// With implements zapcore.Core.
func (r relay) With(fields []zapcore.Field) zapcore.Core {
	return relay{r.log.With(attributes(fields)...)}
}

// Check implements zapcore.Core.
func (r relay) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if !r.Enabled(e.Level) {
		return checked
	}
	return checked.AddCore(e, r)
}

// Write implements zapcore.Core.
func (r relay) Write(e zapcore.Entry, fields []zapcore.Field) error {
	r.log.Debug("etcd: "+e.Message, attributes(fields)...)
	return nil
}

// Sync implements zapcore.Core.
func (r relay) Sync() error { return nil }

func attributes(fields []zapcore.Field) []any {
	encoder := zapcore.NewMapObjectEncoder()
	for _, f := range fields {
		f.AddTo(encoder)
	}
	list := make([]any, 0, len(encoder.Fields))
	for name, value := range encoder.Fields {
		list = append(list, slog.Any(name, value))
	}
	return list
}
