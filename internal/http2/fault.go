package http2

import (
	"errors"
	"fmt"
)

// An errorCode tells the peer why a stream or the connection ends (RFC 9113 §7).
type errorCode uint32

const (
	errNone          errorCode = 0x0
	errProtocol      errorCode = 0x1
	errFlowControl   errorCode = 0x3
	errStreamClosed  errorCode = 0x5
	errFrameSize     errorCode = 0x6
	errRefusedStream errorCode = 0x7
	errCancel        errorCode = 0x8
	errCompression   errorCode = 0x9
	errTooMuch       errorCode = 0xb // ENHANCE_YOUR_CALM
)

// A connError is what the peer did that ends the whole connection (§5.4.1).
type connError struct {
	code errorCode
	why  string
}

func (e *connError) Error() string { return fmt.Sprintf("HTTP/2 error %#x: %s", uint32(e.code), e.why) }

func fatal(code errorCode, why string) *connError { return &connError{code, why} }

// Why a connection ends when the peer has done nothing wrong.
var (
	// ErrClosed: this side closed it.
	ErrClosed = errors.New("connection closed")
	// ErrDrained: it was to carry no more requests, and the last one is over.
	ErrDrained = errors.New("connection drained")
	// ErrSilent: the peer does not answer PING, or never said SETTINGS.
	ErrSilent = errors.New("the peer is silent")
	// ErrStuck: the peer takes no bytes.
	ErrStuck = errors.New("the peer takes no bytes")
)
