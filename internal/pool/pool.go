package pool

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirproxy/weir/balance"
	"github.com/weirproxy/weir/endpoint"
	"github.com/weirproxy/weir/internal/exchange"
)

// Options configure a Pool. The zero value is a round robin that nothing takes
// an endpoint out of.
type Options[T Transport] struct {
	// Service is the name that log lines carry.
	Service string
	// Policy chooses among the members. If nil, they take turns.
	Policy balance.Policy
	// Placed: the policy places requests by a key, and is made once for all
	// members, so that the loss of one moves nobody else's requests. Other
	// policies are made for those that are available.
	Placed bool
	// Measured: the policy heeds latencies.
	Measured bool
	// Concurrency is how many requests the service has under way at once; 0 is
	// as many as come.
	Concurrency int
	// Queue is where requests wait for a place.
	Queue QueueOptions
	// Rest says how failures take members out.
	Rest RestOptions
	// Check looks after the members' health. If nil, nobody does.
	Check *CheckOptions[T]
	// SlowStart is how long a member that came back takes to get its whole
	// share; 0 is none.
	SlowStart time.Duration
	// ProbeTimeout bounds one dial in the background.
	ProbeTimeout time.Duration
	// SetBack is told of every failure that counts against a member. It must not
	// block. If nil, nobody is.
	SetBack func(*Member[T], Setback)
	// Log gets the changes of condition. If nil, they are not logged.
	Log *slog.Logger
	// Changed is told of every change of condition. It must not block. If nil,
	// nobody is.
	Changed func(Change)
}

// RestOptions say how failures take members out.
type RestOptions struct {
	// Steps is how long each rest in a row lasts; beyond the last, as long as
	// that. If empty, no failure takes a member out.
	Steps []time.Duration
	// Pause: when all rest, requests wait in the queue rather than fail.
	Pause bool
	// MaxEjected is the share of members, from 0 to 1, that may rest at once.
	// Panic is the share of available members below which those are used as
	// well that rest or are unhealthy. Neither is for members that cannot be
	// connected to.
	MaxEjected, Panic float64
}

// A Change is one change of a member's condition.
type Change struct {
	Service, Endpoint string
	From, To          Condition
	// Err is what went wrong; nil if nothing did.
	Err error
}

// A Pool is the endpoints of one service. All methods may be called
// concurrently.
type Pool[T Transport] struct {
	set     atomic.Pointer[settings[T]]
	members atomic.Pointer[[]*Member[T]] // replaced as a whole
	turn    atomic.Uint64
	now     atomic.Pointer[snapshot[T]]
	serving atomic.Int64 // requests of the service, if they are limited
	queue   queue[T]

	mu         sync.Mutex
	closed     bool
	background sync.WaitGroup
	stop       context.CancelFunc
	ctx        context.Context
}

// A snapshot is the members that can be chosen, and who chooses. It is immutable.
type snapshot[T Transport] struct {
	members []*Member[T]
	picker  balance.Picker
	// open is how many members are available. resting are those that a live
	// request may try when their time has passed.
	open    int
	resting []*Member[T]
}

// New returns a pool of these endpoints, all taken to be up; transports[i] is
// how endpoints[i] is reached.
func New[T Transport](endpoints []endpoint.Endpoint, transports []T, o Options[T]) *Pool[T] {
	p := new(Pool[T])
	p.set.Store(newSettings(o))
	p.ctx, p.stop = context.WithCancel(context.Background())
	p.members.Store(new([]*Member[T]))
	i := 0
	p.update(endpoints, nil, func(endpoint.Endpoint) T { i++; return transports[i-1] }, Up)
	return p
}

func roundRobin(set []balance.Target, turn *atomic.Uint64) balance.Picker {
	return balance.NewRoundRobin(set, turn)
}

// Members returns all members, available or not, in the order they were announced.
// The list is not to be changed.
func (p *Pool[T]) Members() []*Member[T] { return *p.members.Load() }

// publishLocked makes the snapshot of what the members' states say.
func (p *Pool[T]) publishLocked() {
	s := &snapshot[T]{members: make([]*Member[T], 0, len(p.Members()))}
	panicking := p.panickingLocked()
	for _, m := range p.Members() {
		st := m.state.Load()
		open := st.Condition.Available() || panicking && st.Condition != Draining && !st.Unreachable
		m.open.Store(open)
		if open {
			s.open++
		}
		if open || p.options().Placed {
			s.members = append(s.members, m)
		}
		if st.Condition == Resting && st.By == ByRequest {
			s.resting = append(s.resting, m)
		}
	}
	if len(s.members) > 0 {
		s.picker = p.options().Policy(p.targets(s.members), &p.turn)
	}
	p.now.Store(s)
}

// panickingLocked reports whether so few members are available that the others
// have to help.
func (p *Pool[T]) panickingLocked() bool {
	available := 0
	for _, m := range p.Members() {
		if m.state.Load().Condition.Available() {
			available++
		}
	}
	return float64(available) < p.options().Rest.Panic*float64(len(p.Members()))
}

// warmScale is what weights are multiplied by when some of them are growing, so
// that a tenth of a weight of 1 can be told.
const warmScale = 100

func (p *Pool[T]) targets(members []*Member[T]) []balance.Target {
	now, scale := exchange.Now(), 1
	for _, m := range members {
		if m.state.Load().warm > 0 {
			scale = warmScale
		}
	}
	targets := make([]balance.Target, len(members))
	for i, m := range members {
		weight := m.Weight() * scale
		share := p.rules().share(*m.state.Load(), now)
		targets[i] = balance.Target{Name: m.Endpoint.Name, Weight: max(1, int(float64(weight)*share))}
	}
	return targets
}

// Drain lets a member finish what it has and gives it nothing new, or calls that
// off.
func (p *Pool[T]) Drain(m *Member[T], on bool) {
	p.change(m, func(s State, now time.Duration) State { return p.rules().drain(s, now, on) })
}

// Close ends what goes on in the background, and returns when it has ended. Who
// waits in the queue is told that there is no endpoint.
func (p *Pool[T]) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.stop()
	p.queue.close()
	p.background.Wait()
}

// goLocked runs f in the background, until the pool is closed.
func (p *Pool[T]) goLocked(f func()) {
	if !p.closed {
		p.background.Go(f)
	}
}

// InFlight returns how many requests the members are serving, in all.
func (p *Pool[T]) InFlight() int {
	n := 0
	for _, m := range p.Members() {
		n += m.InFlight()
	}
	return n
}

// Available returns how many members are given requests now.
func (p *Pool[T]) Available() int { return p.now.Load().open }
