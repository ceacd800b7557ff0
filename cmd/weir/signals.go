package main

import (
	"os"
	"os/signal"
	"syscall"
)

// catchSignals returns the signals that a running proxy understands:
//
//	SIGTERM, SIGINT   stop gracefully; the second one, at once
//	SIGHUP            read the file and the certificates again
//	SIGUSR1           reopen the access log
//
// SIGPIPE is ignored: Go ends a process whose standard output nobody reads any
// more, and a proxy must outlive the reader of its log.
func catchSignals() (signals <-chan os.Signal, release func()) {
	c := make(chan os.Signal, 8)
	signal.Ignore(syscall.SIGPIPE)
	signal.Notify(c, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, reopenSignal)
	return c, func() { signal.Stop(c) }
}

// nameOf returns the signal's name as kill(1) takes it.
func nameOf(s os.Signal) string {
	switch s {
	case syscall.SIGTERM:
		return "SIGTERM"
	case syscall.SIGINT:
		return "SIGINT"
	default:
		return s.String()
	}
}
