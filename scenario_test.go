package weir_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/proxytest"
)

func TestMain(m *testing.M) {
	conn.Poison(true) // whoever keeps a slice too long shows it
	goleak.VerifyTestMain(m)
}

// TestScenarios plays every scenario of testdata/scenarios against the whole
// proxy, over loopback sockets and in virtual time.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/scenarios/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no scenarios (%v)", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			proxytest.Play(t, file, start)
		})
	}
}

// start makes the proxy of a scenario. Whatever the scenario does not say is as
// users have it, but for the admin listener, which two proxies cannot both have.
func start(e proxytest.Environment) (proxytest.Proxy, error) {
	cfg, _, err := config.Parse("weir.yaml", e.Config, config.Options{ReadFile: os.ReadFile})
	if err != nil {
		return nil, err
	}
	for i := range cfg.Listeners {
		cfg.Listeners[i].Address = "127.0.0.1:0"
	}
	cfg.Admin.Off = true
	cfg.AccessLog = &config.AccessLog{Path: e.AccessLog, Format: "json"}
	return weir.New(*cfg, weir.WithListen(e.Listen), weir.WithDial(e.Dial))
}
