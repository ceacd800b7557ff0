//go:build !linux

package conn

import "net"

// Raw is for Linux; elsewhere every connection is a Stream.
type Raw struct{ *Stream }

func newRaw(net.Conn, *Watchdog, Expirer) Conn { return nil }

// Splice is for Linux; elsewhere content is copied.
func Splice(_, _ Conn, _ int64, _ SpliceLimits) (int64, bool, error) { return 0, false, nil }
