package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode"

	"github.com/weirproxy/weir/worker"
)

// again is after how long what is still wrong is told once more.
const again = 30 * time.Second

// A narrator is a slog.Handler that makes sentences of what a worker logs about
// attaching, with what can be done, and passes the rest on.
type narrator struct {
	out   io.Writer
	next  slog.Handler
	token bool // one was given

	mu   sync.Mutex
	last map[string]told // by router
}

// told is what was said of a router, and when.
type told struct {
	text string
	at   time.Time
}

// Enabled implements slog.Handler. What is wrong for the second time is logged as
// a detail, and told now and then.
func (n *narrator) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (n *narrator) Handle(ctx context.Context, r slog.Record) error {
	fields := map[string]slog.Value{}
	r.Attrs(func(a slog.Attr) bool {
		fields[a.Key] = a.Value
		return true
	})
	router := fields["router"].String()
	if instance, ok := fields["instance"]; ok {
		n.attached(router, fields["service"].String(), instance.String())
	} else if err, ok := fields["error"].Any().(error); ok {
		n.trouble(router, err, r.Level >= slog.LevelWarn)
	} else if n.next.Enabled(ctx, r.Level) {
		return n.next.Handle(ctx, r)
	}
	return nil
}

// WithAttrs implements slog.Handler.
func (n *narrator) WithAttrs([]slog.Attr) slog.Handler { return n }

// WithGroup implements slog.Handler.
func (n *narrator) WithGroup(string) slog.Handler { return n }

func (n *narrator) attached(router, service, instance string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.last, router)
	fmt.Fprintf(n.out, "attached to %s as service %s (instance %s)\n", router, service, instance)
}

// trouble tells why a router cannot be attached to, unless that was told just
// now. What is no news is told only if it is what was told last: with several
// addresses, that one cannot be reached matters little.
func (n *narrator) trouble(router string, err error, news bool) {
	text := plainText(err.Error())
	if hint := n.hint(err); hint != "" {
		text += "; " + hint
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	last := n.last[router]
	if !news && last.text != text || last.text == text && time.Since(last.at) < again {
		return
	}
	n.last[router] = told{text, time.Now()}
	fmt.Fprintf(n.out, "cannot attach to %s: %s\n", router, text)
}

// hint tells what to do about an error; empty if nothing is known.
func (n *narrator) hint(err error) string {
	var refusal *worker.Refusal
	if errors.As(err, &refusal) {
		return n.hintOf(refusal)
	}
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var header tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "trying again; start order is free"
	case errors.As(err, &authority):
		return "if that is right, name who has signed the router's certificate with --ca FILE"
	case errors.As(err, &host):
		return "call the router by a name that its certificate has"
	case errors.As(err, &header):
		return "it does not speak TLS there; if clear text is right, write http://HOST:PORT"
	case errors.As(err, &alert):
		return "if it wants a certificate, give --cert FILE and --key FILE"
	}
	return "trying again"
}

func (n *narrator) hintOf(r *worker.Refusal) string {
	switch r.Status {
	case http.StatusUnauthorized:
		if n.token {
			return "it does not know this token; compare it with the router's attach.tokens"
		}
		return "give a token with --token or in " + tokenVariable + ", or a certificate with --cert and --key"
	case http.StatusForbidden:
		return "what was given may serve other services only; choose one of those with --service, or have the router allow this one"
	case http.StatusConflict:
		return "choose another name with --instance"
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return "is that where the router's workers attach?"
	}
	return "trying again"
}

// plainText is text from elsewhere that cannot do anything to a terminal.
func plainText(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
}
