package admin

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"time"
)

// Events let somebody follow what changes. Subscribe may be called concurrently.
type Events interface {
	// Subscribe returns a function that waits for the next event after the one
	// with that id, and the id that it begins after, which is that of the last
	// event there is if the one asked for is larger. There is nothing to close.
	Subscribe(after uint64) (at uint64, next NextEvent)
}

// NextEvent waits for the next event. missed tells how many events before it are
// not kept any more. When ctx is done it returns its error, and may be called
// again. It is not called concurrently.
type NextEvent func(ctx context.Context) (event Event, missed uint64, err error)

// An Event is something that changed. Its members are in the order that lets a
// struct of the same members be converted to it.
type Event struct {
	// ID grows from event to event.
	ID   uint64    `json:"id"`
	Time time.Time `json:"time"`
	// Type says what changed, for example endpoint_state.
	Type     string `json:"type"`
	Service  string `json:"service,omitempty"`
	Endpoint string `json:"endpoint,omitempty"`
	// Source is the kind of a source of endpoints, if it is about one.
	Source string `json:"source,omitempty"`
	// From and To are the states before and after.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	// Reason is shown only when Options.Verbose.
	Reason string `json:"reason,omitempty"`
}

// fromNow is an id that is larger than that of any event.
const fromNow = math.MaxUint64

// maxStreams is how many clients may follow the events at a time.
const maxStreams = 64

func serveEvents(options Options) handler {
	free := make(chan struct{}, maxStreams)
	return func(w http.ResponseWriter, r *http.Request, _ []string) {
		if r.Method == http.MethodHead {
			setStreamFields(w.Header())
			return
		}
		select {
		case free <- struct{}{}:
			defer func() { <-free }()
		default:
			w.Header().Set("Retry-After", "5")
			writeProblem(w, problem{
				Status: http.StatusServiceUnavailable, Error: "too_many_streams",
				Detail: "As many clients as may follow the events do so already.",
			})
			return
		}
		at, next := options.Events.Subscribe(lastEventID(r))
		s := &eventStream{
			w: w, control: http.NewResponseController(w), next: next, at: at,
			services: r.URL.Query()["service"], verbose: options.Verbose,
		}
		s.serve(r.Context())
	}
}

// lastEventID returns the id of the event that a client got last. Without one it
// wants what happens from now on.
func lastEventID(r *http.Request) uint64 {
	id, err := strconv.ParseUint(r.Header.Get("Last-Event-ID"), 10, 64)
	if err != nil {
		return fromNow
	}
	return id
}
