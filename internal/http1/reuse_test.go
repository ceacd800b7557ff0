package http1

import "testing"

// The one place where it is decided; each row is an exchange that went well but
// for what it says.
func TestReuse(t *testing.T) {
	for _, test := range []struct {
		name             string
		change           func(r *Reuse)
		client, endpoint bool
	}{
		{"all went well", func(*Reuse) {}, true, true},
		{"the client closes", func(r *Reuse) { r.RequestKeepAlive = false }, false, true},
		{"the endpoint closes", func(r *Reuse) { r.ResponseKeepAlive = false }, true, false},
		{"the client was told to close", func(r *Reuse) { r.Closing = true }, false, true},
		{"an early final response, the request not read", func(r *Reuse) { r.RequestRead, r.RequestSent = false, false }, false, false},
		{"an early final response, the request read and not sent", func(r *Reuse) { r.RequestSent = false }, true, false},
		{"the endpoint failed midway", func(r *Reuse) { r.ResponseRead, r.ResponseSent = false, false }, false, false},
		{"the endpoint failed, the proxy answered", func(r *Reuse) { r.ResponseRead, r.ResponseKeepAlive = false, false }, true, false},
		{"the client left midway", func(r *Reuse) { r.ResponseSent = false }, false, true},
		{"the client left, the response was not read", func(r *Reuse) { r.ResponseSent, r.ResponseRead = false, false }, false, false},
		{"a final response without the 100 that was awaited", func(r *Reuse) { r.ContinueWithheld = true; r.RequestSent = false }, false, false},
		{"a switch of protocols", func(r *Reuse) { r.Upgraded = true }, false, false},
		{"bytes after the response", func(r *Reuse) { r.Excess = true }, true, false},
		{"nothing is known", func(r *Reuse) { *r = Reuse{} }, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := Reuse{
				RequestKeepAlive: true, ResponseKeepAlive: true,
				RequestRead: true, RequestSent: true, ResponseRead: true, ResponseSent: true,
			}
			test.change(&r)
			if r.Client() != test.client {
				t.Errorf("the client's connection is used again: %t", r.Client())
			}
			if r.Endpoint() != test.endpoint {
				t.Errorf("the endpoint's connection is used again: %t", r.Endpoint())
			}
		})
	}
}
