package observe

import (
	"fmt"
	"io"
	"log/slog"
)

// NewLogger returns a logger for what the process itself has to say, in the
// format json or text, or off. Lines below level are left out.
func NewLogger(format Format, level slog.Leveler, w io.Writer) (*slog.Logger, error) {
	options := &slog.HandlerOptions{Level: level}
	switch format {
	case FormatJSON, "":
		return slog.New(slog.NewJSONHandler(w, options)), nil
	case FormatText:
		return slog.New(slog.NewTextHandler(w, options)), nil
	case FormatOff:
		return slog.New(slog.DiscardHandler), nil
	default:
		return nil, fmt.Errorf("log format %q: want json, text or off", format)
	}
}
