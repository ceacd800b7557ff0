package ratelimit

import (
	"sync"
	"time"
)

// A key is what is remembered of a key.
type key [2]uint64

// A stripe is some of the keys, and the lock that guards them.
type stripe struct {
	mu       sync.Mutex
	index    map[key]int32 // into entries
	entries  []entry
	hand     int // where the search for one to forget goes on
	overflow bucket
	_        [24]byte // neighbours do not share a cache line
}

type entry struct {
	key key
	bucket
}

// searched is how many buckets are looked at for one that can be forgotten: the
// search goes on where the last one ended, so few requests find all of them.
const searched = 16

// take takes a token of k, or returns how long it takes until there is one.
func (s *stripe) take(r *rate, most int, k key, now time.Duration) (wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i, known := s.index[k]; known {
		return r.take(&s.entries[i].bucket, now)
	}
	r.fill(&s.overflow, now)
	i, ok := s.place(r, most, now)
	if !ok {
		return r.take(&s.overflow, now)
	}
	// It may have been taking from the overflow bucket.
	s.entries[i] = entry{k, s.overflow}
	s.index[k] = int32(i)
	return r.take(&s.entries[i].bucket, now)
}

// place returns where there is room for one more key.
func (s *stripe) place(r *rate, most int, now time.Duration) (i int, ok bool) {
	if len(s.entries) < most {
		s.entries = append(s.entries, entry{})
		return len(s.entries) - 1, true
	}
	for range min(searched, most) {
		i = s.hand
		if s.hand++; s.hand == most {
			s.hand = 0
		}
		e := &s.entries[i]
		r.fill(&e.bucket, now)
		if e.level == r.full {
			delete(s.index, e.key)
			return i, true
		}
	}
	return 0, false
}
