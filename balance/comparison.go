package balance

import "time"

// A comparison finds the endpoint with the least load: the requests under way and
// the one to come, divided by the weight, times the time that one takes. Those
// whose time is not known are compared among each other first, and then as if they
// took as long as the fastest known.
type comparison struct {
	lottery        *lottery
	known, unknown winner
	fastest        time.Duration // of the known ones; 0 if there is none
}

func newComparison(l *lottery) comparison {
	return comparison{lottery: l, known: winner{place: -1}, unknown: winner{place: -1}}
}

// add lets an endpoint take part.
func (m *comparison) add(c Candidates, i int) {
	load := float64(c.InFlight(i)+1) / float64(m.lottery.weights[i])
	latency := c.Latency(i)
	if latency <= 0 {
		m.unknown.challenge(i, load, 1, m.lottery)
		return
	}
	if m.fastest == 0 || latency < m.fastest {
		m.fastest = latency
	}
	m.known.challenge(i, load*float64(latency), 1, m.lottery)
}

// best returns the endpoint with the least load, any of several; -1 if none took
// part.
func (m *comparison) best() int {
	if u := m.unknown; u.place >= 0 {
		m.known.challenge(u.place, u.load*float64(m.fastest), u.equals, m.lottery)
	}
	return m.known.place
}

// A winner is the best of those seen so far: one of several that are equal.
type winner struct {
	place  int // -1 if none was seen
	load   float64
	equals uint64
}

// challenge lets an endpoint, that stands for so many equal ones, replace the
// winner if its load is less, or by chance if it is the same.
func (w *winner) challenge(place int, load float64, equals uint64, l *lottery) {
	switch {
	case w.place < 0 || load < w.load:
		*w = winner{place, load, equals}
	case load == w.load:
		w.equals += equals
		if l.below(w.equals) < equals {
			w.place = place
		}
	}
}
