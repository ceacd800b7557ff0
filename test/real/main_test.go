//go:build real

package real

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The programs that are built once, for all tests. WEIR_BINARY in the environment
// names a Weir to test instead of the one that the source makes.
var weirBinary, endpointBinary, chaosBinary string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	// Where Debian has servers, which is not on everybody's path.
	_ = os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin")
	for _, tool := range []string{"nginx", "haproxy", "curl", "wrk", "strace", "ip"} {
		if _, err := exec.LookPath(tool); err != nil {
			fmt.Fprintf(os.Stderr, "%s is missing: run scripts/install-peers.sh\n", tool)
			return 1
		}
	}
	dir, err := os.MkdirTemp("", "weir-real-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	weirBinary, endpointBinary, chaosBinary = filepath.Join(dir, "weir"), filepath.Join(dir, "endpoint"), filepath.Join(dir, "chaosendpoint")
	sources := map[string]string{weirBinary: "../../cmd/weir", endpointBinary: "./endpoint", chaosBinary: "./chaosendpoint"}
	if given := os.Getenv("WEIR_BINARY"); given != "" {
		delete(sources, weirBinary)
		weirBinary = given
	}
	for path, source := range sources {
		cmd := exec.Command("go", "build", "-o", path, source)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v\n%s", source, err, out)
			return 1
		}
	}
	return m.Run()
}
