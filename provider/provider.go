// Package provider is where the endpoints of a service come from while Weir runs: a
// file, DNS, a registry, or what a program that imports Weir has of its own.
//
// A source is one method. It tells complete sets: whoever listens never has to know
// what was told before, and a source that was away for a while resynchronizes by
// telling what there is now.
package provider

import (
	"context"

	"github.com/weirproxy/weir/endpoint"
)

// A Provider knows the endpoints of one service.
type Provider interface {
	// Watch calls update with the complete set of endpoints as soon as it is
	// known, and again whenever it has changed, until ctx ends: then it returns
	// nil. It returns an error, at once, only if it can never succeed, such as
	// with settings that are wrong; what may pass (a server that cannot be
	// reached, an answer that cannot be read) it tells by update, and goes on
	// trying.
	//
	// Calls of update come one after the other, and none after Watch has
	// returned. They return soon.
	Watch(ctx context.Context, update func(Update)) error
}

// An Update is what a source tells.
type Update struct {
	// Endpoints is the complete set; it is not changed afterwards. No endpoints
	// is a set, too.
	Endpoints []endpoint.Endpoint
	// Err says why the source cannot be asked at present. Endpoints does not count
	// then: those that were told last stay.
	Err error
}
