package observe

import (
	"bytes"
	"io"
	"log/slog"
	"strings"
	"testing"
)

func TestNewLogger_Formats(t *testing.T) {
	for format, want := range map[Format]string{FormatJSON: `"msg":"hello"`, "": `"msg":"hello"`, FormatText: "msg=hello", FormatOff: ""} {
		var out bytes.Buffer
		logger, err := NewLogger(format, slog.LevelInfo, &out)
		if err != nil {
			t.Fatal(err)
		}
		logger.Debug("quiet")
		logger.Info("hello")
		if got := out.String(); !strings.Contains(got, want) || strings.Contains(got, "quiet") || want == "" && got != "" {
			t.Errorf("format %q writes %q, want %q", format, got, want)
		}
	}
	if _, err := NewLogger("xml", slog.LevelInfo, io.Discard); err == nil {
		t.Error("an unknown format is taken")
	}
}
