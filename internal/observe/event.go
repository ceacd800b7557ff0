package observe

import (
	"context"
	"strings"
	"sync"
	"time"
)

const (
	// keptEvents is how many events are kept for those who come late or are
	// slow.
	keptEvents = 1024
	// maxReason is how many bytes of an event's reason are kept.
	maxReason = 512
)

// FromNow is what [Events.Subscribe] is given to get no event of the past.
const FromNow = ^uint64(0)

// An Event is something that changed while the proxy runs, such as the state of
// an endpoint.
type Event struct {
	// ID is larger than that of every event before, those of an earlier run of
	// the proxy included, as long as the clock was not set back.
	ID   uint64
	Time time.Time
	// Type says what changed, for example endpoint_state.
	Type              string
	Service, Endpoint string
	// Source is the kind of a source of endpoints, if it is about one.
	Source string
	// From and To are the states before and after.
	From, To string
	// Reason may name addresses; it is not for everybody who may see the event.
	Reason string
}

// Events passes events on to whoever wants to know, and keeps the last 1024. All
// its methods may be called concurrently.
//
// Subscribers have no queues of their own: a [Subscription] is a place in the one
// list of events. So neither many subscribers nor slow ones cost memory, and
// Publish never waits. One that falls behind by more than is kept is told how
// many events it missed.
type Events struct {
	before uint64 // the id before that of the first event

	mu   sync.Mutex
	last uint64
	ring []Event // event id is at (id-before-1) modulo keptEvents
	// changed is closed by the next event; nil if nobody waits for it.
	changed chan struct{}
}

// NewEvents returns an Events without any.
func NewEvents() *Events {
	// Ids begin with the time in microseconds: with fewer than a million events
	// a second they stay below what a later run begins with, so that a client
	// that reconnects to it with an id of this run misses nothing. And they
	// are below 2^53: JavaScript reads them exactly.
	start := uint64(time.Now().UnixMicro())
	return &Events{before: start, last: start}
}

// Publish gives the event an ID, and the present time if it has none, and passes
// it on. It does not block.
func (e *Events) Publish(event Event) {
	if event.Time.IsZero() {
		event.Time = time.Now()
	}
	if len(event.Reason) > maxReason {
		event.Reason = strings.ToValidUTF8(strings.Clone(event.Reason[:maxReason]), "") // not half a character
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.last++
	event.ID = e.last
	if len(e.ring) < keptEvents {
		e.ring = append(e.ring, event)
	} else {
		*e.atLocked(event.ID) = event
	}
	if e.changed != nil {
		close(e.changed)
		e.changed = nil
	}
}

// atLocked returns the place of an event that is kept.
func (e *Events) atLocked(id uint64) *Event { return &e.ring[(id-e.before-1)%keptEvents] }

// Subscribe returns a subscription to the events after the one with that ID; see
// [FromNow]. It needs not be closed.
func (e *Events) Subscribe(after uint64) *Subscription {
	e.mu.Lock()
	defer e.mu.Unlock()
	return &Subscription{events: e, at: min(max(after, e.before), e.last)}
}

// A Subscription is how far somebody has come in the list of events. It belongs
// to one goroutine.
type Subscription struct {
	events *Events
	at     uint64
}

// At returns the ID of the event that the next one follows.
func (s *Subscription) At() uint64 { return s.at }

// Next waits for the next event. missed tells how many between the one before
// and this are not kept any more. When ctx is done it returns its error, and may
// be called again.
func (s *Subscription) Next(ctx context.Context) (event Event, missed uint64, err error) {
	for {
		if err := ctx.Err(); err != nil {
			return Event{}, 0, err
		}
		event, missed, changed := s.take()
		if changed == nil {
			return event, missed, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// take returns the next event, or else what is closed when there is one.
func (s *Subscription) take() (event Event, missed uint64, changed <-chan struct{}) {
	e := s.events
	e.mu.Lock()
	defer e.mu.Unlock()
	if s.at == e.last {
		if e.changed == nil {
			e.changed = make(chan struct{})
		}
		return Event{}, 0, e.changed
	}
	oldest := e.last - uint64(len(e.ring)) + 1
	next := max(s.at+1, oldest)
	missed = next - s.at - 1
	s.at = next
	return *e.atLocked(next), missed, nil
}
