package demo

import (
	"context"
	"log/slog"
	"strings"
	"unicode"
)

// A listener is a log handler that has the narrator tell what the router logs.
type listener struct{ narrator *narrator }

// Enabled implements slog.Handler. Of the end, only what is wrong is told.
func (l *listener) Enabled(_ context.Context, level slog.Level) bool {
	if l.narrator.over.Load() {
		return level >= slog.LevelWarn
	}
	return level >= slog.LevelInfo
}

// Handle implements slog.Handler.
func (l *listener) Handle(_ context.Context, r slog.Record) error {
	n := l.narrator
	said := map[string]string{}
	r.Attrs(func(a slog.Attr) bool {
		said[a.Key] = plain(a.Value.String())
		return true
	})
	switch r.Message {
	case "a worker attached":
		n.tell("the router: worker %s %s, over a connection from %s", n.name(said["instance"]), n.good("attached"), said["remote"])
	case "a worker left":
		n.tell("the router: worker %s %s (%s)", n.name(said["instance"]), n.bad("left"), said["reason"])
	case "endpoint resting":
		n.tell("the router: %s is %s and rests; its requests go to the others", n.name(said["endpoint"]), n.bad("down"))
	case "endpoint up":
		n.tell("the router: %s is %s again", n.name(said["endpoint"]), n.good("up"))
	default:
		n.tell("the router: %s", strings.TrimSpace(r.Message+" "+said["error"]+" "+said["detail"]))
	}
	return nil
}

// WithAttrs implements slog.Handler.
func (l *listener) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup implements slog.Handler.
func (l *listener) WithGroup(string) slog.Handler { return l }

// plain is text from elsewhere that cannot do anything to a terminal.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
}
