package sidecar

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

// prepared is set in the environment of the process that runs the tests.
const prepared = "SIDECAR_TESTS"

// TestMain runs the tests in a process of their own, because two things are read
// from the environment when a program begins: that servers of net/http take an
// extended CONNECT, and which certificates the system trusts.
func TestMain(m *testing.M) {
	if os.Getenv(prepared) != "" {
		goleak.VerifyTestMain(m)
		return
	}
	os.Exit(runPrepared())
}

func runPrepared() int {
	dir, err := os.MkdirTemp("", "sidecar")
	if err == nil {
		defer os.RemoveAll(dir)
		err = writeCertificate(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	cmd := exec.Command(os.Args[0], os.Args[1:]...)
	cmd.Env = append(os.Environ(), prepared+"="+dir, "GODEBUG=http2xconnect=1",
		"SSL_CERT_FILE="+filepath.Join(dir, "cert.pem"))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
