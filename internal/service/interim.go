package service

import (
	"bytes"

	"github.com/weirproxy/weir/internal/exchange"
)

// maxInterims and maxInterimBytes bound the interim responses of one branch that
// are kept. What is beyond is not passed on: they are hints.
const (
	maxInterims     = 8
	maxInterimBytes = 16 << 10
)

// An interim is where the interim responses of a try go as long as it is not known
// whether its response is the answer: they are kept, and passed on if it is (RFC
// 8297 §2 for 103). It implements exchange.Responder.
type interim struct {
	// to gets the 100 that lets the client go on, which waits for nothing. If
	// nil, the client was let go on already.
	to        exchange.Responder
	responses []*exchange.Response
	size      int
}

// Inform implements exchange.Responder.
func (i *interim) Inform(resp *exchange.Response) error {
	if resp.Status == 100 {
		if i.to == nil {
			return nil
		}
		return i.to.Inform(resp)
	}
	size := len(resp.Reason)
	for _, f := range resp.Header {
		size += len(f.Name) + len(f.Value)
	}
	if len(i.responses) == maxInterims || i.size+size > maxInterimBytes {
		return nil
	}
	i.size += size
	kept := &exchange.Response{Status: resp.Status, Minor: resp.Minor, Reason: bytes.Clone(resp.Reason)}
	for _, f := range resp.Header {
		f.Name, f.Value = bytes.Clone(f.Name), bytes.Clone(f.Value)
		kept.Header = append(kept.Header, f)
	}
	i.responses = append(i.responses, kept)
	return nil
}

// Respond implements exchange.Responder. Transports do not call it.
func (i *interim) Respond(*exchange.Response) error { panic("service: a branch does not respond") }

// relay passes on what was kept.
func (i *interim) relay(to exchange.Responder) error {
	kept := i.responses
	*i = interim{}
	for _, resp := range kept {
		if err := to.Inform(resp); err != nil {
			return err
		}
	}
	return nil
}
