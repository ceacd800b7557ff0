package balance

import (
	"container/heap"
	"math/rand/v2"
	"testing"
	"time"
)

// A simulation is events in virtual time. It is the same in every run.
type simulation struct {
	now    time.Duration
	random *rand.Rand
	queue  events
	count  int
}

func newSimulation() *simulation {
	return &simulation{random: rand.New(rand.NewPCG(3, 14))}
}

// after has something happen when so much time has passed. What happens at the
// same moment happens in the order it was asked for.
func (s *simulation) after(d time.Duration, happen func()) {
	s.count++
	heap.Push(&s.queue, event{s.now + d, s.count, happen})
}

// run lets happen what is to, until nothing is.
func (s *simulation) run() {
	for len(s.queue) > 0 {
		e := heap.Pop(&s.queue).(event)
		s.now = e.at
		e.happen()
	}
}

// about returns a random duration of this mean, of the exponential distribution.
func (s *simulation) about(mean time.Duration) time.Duration {
	return time.Duration(s.random.ExpFloat64() * float64(mean))
}

type event struct {
	at     time.Duration
	number int
	happen func()
}

// events is a heap; the next one is on top.
type events []event

func (q events) Len() int { return len(q) }

func (q events) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].number < q[j].number
}

func (q events) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

func (q *events) Push(e any) { *q = append(*q, e.(event)) }

func (q *events) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	*q = (*q)[:last]
	return e
}

func TestSimulation_LetsThingsHappenInOrder(t *testing.T) {
	s, got := newSimulation(), ""
	note := func(what string) func() { return func() { got += what } }
	s.after(2*time.Second, note("c"))
	s.after(time.Second, func() {
		got += "a"
		s.after(time.Second, note("d"))
		s.after(0, note("b"))
	})
	s.run()
	if got != "abcd" || s.now != 2*time.Second {
		t.Errorf("events happen in the order %s and end at %v, want abcd and 2s", got, s.now)
	}
}
