package dns

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// inFlight is how many questions are asked at once.
const inFlight = 8

// A memo is an answer that holds for a while, and counts for longer if nobody can be
// asked.
type memo struct {
	reply
	until time.Time
}

// A round is one look at all that a name stands for. Answers of rounds before serve it
// until they expire.
type round struct {
	o    Options
	conf conf
	ask  asker
	// before is what rounds before have learned.
	before map[question]memo

	mu sync.Mutex
	// learned is what this round goes by.
	learned map[question]memo
	// wrong is what does not count, for people.
	wrong map[string]bool
	// failed tells that something could not be asked.
	failed bool
	// expires is when the first answer does that this round goes by.
	expires time.Time
}

// A finding is what there is to say to a question. With an error, which says why nobody
// could be asked, it is the last answer, if there was one.
type finding struct {
	reply
	err error
}

// lookAll looks several questions up.
func (r *round) lookAll(ctx context.Context, all []question) []finding {
	found := make([]finding, len(all))
	places := make(chan struct{}, inFlight)
	var lookers sync.WaitGroup
	for i, q := range all {
		places <- struct{}{}
		lookers.Go(func() {
			found[i] = r.look(ctx, q)
			<-places
		})
	}
	lookers.Wait()
	return found
}

// look answers a question by what is known, or asks.
func (r *round) look(ctx context.Context, q question) finding {
	m, fresh := r.recall(q)
	if fresh {
		return finding{reply: m.reply}
	}
	answer, err := r.ask(ctx, r.conf, q)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.failed = true
		why := "there is no answer before that could count"
		if len(m.records) > 0 {
			why = "its last answer counts"
			r.learned[q] = m
		}
		r.wrong[fmt.Sprintf("%v; %s", err, why)] = true
		return finding{m.reply, err}
	}
	r.learnLocked(q, answer)
	for _, also := range r.cameAlong(answer) {
		r.learnLocked(also.question, also.reply)
	}
	return finding{reply: answer}
}

// recall returns what is known, and whether it still holds.
func (r *round) recall(q question) (m memo, fresh bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m, fresh = r.learned[q]; fresh {
		return m, true
	}
	m = r.before[q]
	if fresh = time.Now().Before(m.until); fresh {
		r.learned[q] = m
		r.expireLocked(m.until)
	}
	return m, fresh
}

func (r *round) learnLocked(q question, answer reply) {
	holds := min(max(answer.ttl, r.o.MinTTL), r.o.MaxTTL)
	answer.extra = nil
	m := memo{answer, time.Now().Add(holds)}
	r.learned[q] = m
	r.expireLocked(m.until)
}

func (r *round) expireLocked(at time.Time) {
	if r.expires.IsZero() || at.Before(r.expires) {
		r.expires = at
	}
}

// An answered question is one with its answer.
type answered struct {
	question
	reply
}

// cameAlong returns the addresses of targets that came with an answer.
func (r *round) cameAlong(answer reply) (list []answered) {
	targets := map[string]bool{}
	for _, rec := range answer.records {
		targets[rec.name] = true
	}
	for _, typ := range r.o.families() {
		byOwner := map[string]reply{}
		for _, rec := range answer.extra {
			if rec.typ != typ || !targets[rec.owner] {
				continue
			}
			known, more := byOwner[rec.owner]
			if !more || rec.ttl < known.ttl {
				known.ttl = rec.ttl
			}
			known.records = append(known.records, rec)
			byOwner[rec.owner] = known
		}
		for owner, known := range byOwner {
			list = append(list, answered{question{owner, typ}, known})
		}
	}
	return list
}

// complain notes what does not count.
func (r *round) complain(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wrong[fmt.Sprintf(format, args...)] = true
}
