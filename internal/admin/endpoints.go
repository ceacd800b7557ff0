package admin

import "errors"

// Endpoints changes who serves a service, at run time. Its methods may be called
// concurrently. A service is named without its version here; version is empty for
// the service as such.
type Endpoints interface {
	// List returns who serves it; false if there is no such service or version.
	// What it returns is the caller's.
	List(service, version string) (list []Description, known bool)
	// Change makes one change to the endpoint of that name, effective for the
	// next request, and returns how it is described now; nil after Remove.
	//
	// Whoever makes the change calls may, once, under the lock that makes it, with
	// how the endpoint is described at present: nil if there is none, or no such
	// service. If it returns false, nothing changes and the error is
	// ErrPrecondition; it always does for an endpoint that is not there, unless
	// the change is Put. may keeps nothing and must not be called later.
	//
	// Any other error is a *Refusal, or means that the change has failed.
	Change(service, version, name string, c Change, may func(current *Description) bool) (now *Description, err error)
}

// A Change is what is to become of an endpoint.
type Change struct {
	Kind ChangeKind
	// Put is what the endpoint is to be, complete and plausible; nil for the
	// other kinds. Its read-only members are empty.
	Put *Description
}

// A ChangeKind says what a Change does.
type ChangeKind int

// Put creates an endpoint, or replaces what was said of it, whether it drains or
// not; a service that nobody knows comes into being with its first endpoint. Remove
// takes it out, whoever announced it. Drain gives it nothing new, and Undrain calls
// that off.
const (
	Put ChangeKind = iota + 1
	Remove
	Drain
	Undrain
)

// ErrPrecondition is returned when a change may not be made, because its endpoint
// is not as whoever asked for it expects.
var ErrPrecondition = errors.New("the endpoint is not as expected")

// A Refusal is why something that was asked for is not done. It is answered as a
// problem.
type Refusal struct {
	Status int
	// Code is the member error, from the closed list in the reference.
	Code string
	// Detail is for people. It is shown to whoever asked.
	Detail string
}

// Error implements error.
func (r *Refusal) Error() string { return r.Detail }
