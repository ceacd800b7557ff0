package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirproxy/weir/worker"
)

// narrated is a log whose narrator writes into the buffer.
func narrated(token bool) (*slog.Logger, *bytes.Buffer) {
	out := new(bytes.Buffer)
	next := slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelWarn})
	return slog.New(&narrator{out: out, next: next, token: token, last: map[string]told{}}), out
}

func TestNarrator_RepeatsItselfEvery30SecondsAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, out := narrated(false)
		refused := fmt.Errorf("dial tcp: %w", syscall.ECONNREFUSED)
		log.Warn("cannot attach", "router", "a:1", "error", refused)
		for range 65 { // a second try each second
			time.Sleep(time.Second)
			log.Debug("cannot attach", "router", "a:1", "error", refused)
		}
		const line = "cannot attach to a:1: dial tcp: connection refused; trying again; start order is free\n"
		if got := out.String(); got != strings.Repeat(line, 3) {
			t.Errorf("in 65 seconds it says\n%s, want three times\n%s", got, line)
		}
	})
}

func TestNarrator_TellsChangesAtOnce(t *testing.T) {
	log, out := narrated(false)
	log.Warn("cannot attach", "router", "a:1", "error", errors.New("one"))
	log.Warn("cannot attach", "router", "a:1", "error", errors.New("two"))
	log.Warn("cannot attach", "router", "b:1", "error", errors.New("two"))
	log.Info("attached", "router", "a:1", "service", "web", "instance", "i")
	log.Debug("another of its addresses", "router", "a:1", "error", errors.New("two"))
	log.Warn("cannot attach", "router", "a:1", "error", errors.New("two"))
	want := "cannot attach to a:1: one; trying again\n" +
		"cannot attach to a:1: two; trying again\n" +
		"cannot attach to b:1: two; trying again\n" +
		"attached to a:1 as service web (instance i)\n" +
		"cannot attach to a:1: two; trying again\n"
	if got := out.String(); got != want {
		t.Errorf("it says\n%s, want\n%s", got, want)
	}
}

func TestNarrator_PassesTheRestOn(t *testing.T) {
	log, out := narrated(false)
	log.Info("a detail", "router", "a:1")
	log.Warn("the connection has ended", "router", "a:1")
	if got := out.String(); strings.Contains(got, "a detail") || !strings.Contains(got, `level=WARN msg="the connection has ended" router=a:1`) {
		t.Errorf("it logs %s", got)
	}
}

func TestNarrator_SaysWhatToDo(t *testing.T) {
	for _, c := range []struct {
		err   error
		token bool
		says  string
	}{
		{&worker.Refusal{Status: 401}, false, "give a token with --token or in WEIR_TOKEN"},
		{&worker.Refusal{Status: 401}, true, "does not know this token"},
		{&worker.Refusal{Status: 403, Code: "service_forbidden", Detail: "not shop"}, true, "not shop; what was given may serve other services only"},
		{&worker.Refusal{Status: 409}, false, "--instance"},
		{&worker.Refusal{Status: 404}, false, "is that where the router's workers attach?"},
		{&worker.Refusal{Status: 503, Code: "draining"}, false, "draining; trying again"},
		{x509.UnknownAuthorityError{}, false, "--ca FILE"},
		{x509.HostnameError{Certificate: new(x509.Certificate), Host: "h"}, false, "a name that its certificate has"},
		{tls.RecordHeaderError{Msg: "m"}, false, "write http://HOST:PORT"},
		{tls.AlertError(116), false, "--cert FILE and --key FILE"},
		{errors.New("\x1b[2J\r\nweir: all is well"), false, "  [2J  weir: all is well"[1:]},
	} {
		log, out := narrated(c.token)
		log.Warn("cannot attach", "router", "a:1", "error", fmt.Errorf("TLS: %w", c.err))
		if got := out.String(); !strings.Contains(got, c.says) || strings.Count(got, "\n") != 1 {
			t.Errorf("of %v it says %q, want one line with %q", c.err, got, c.says)
		}
	}
}
