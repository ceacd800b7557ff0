package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// session is one run of the bench.
type session struct {
	*rig
	options
	notes   []string // about the whole run
	missing map[string]bool
}

// dropMissing leaves out the peers that are not there, with a note that nobody overlooks.
func (s *session) dropMissing() {
	s.missing = map[string]bool{}
	looked := map[string]error{} // by program
	for _, p := range s.everybody() {
		err, known := looked[p.program]
		if !known {
			err = s.ready(p)
			looked[p.program] = err
		}
		if err == nil {
			continue
		}
		s.missing[p.name] = true
		note := fmt.Sprintf("**%s is left out: %v**", p.title, err)
		s.notes = append(s.notes, note)
		fmt.Fprintln(os.Stderr, "bench:", note)
	}
}

// there are the peers asked for that are not missing.
func (s *session) there() []peer {
	return slices.DeleteFunc(slices.Clone(s.peers), func(p peer) bool { return s.missing[p.name] })
}

// contenders are the peers that a kind of work is measured with: those asked for, or its own
// variants of them, as far as they are there.
func (s *session) contenders(k kind) []peer {
	if k.variants == nil {
		return s.there()
	}
	var chosen []peer
	for _, p := range allPeers() {
		if slices.Contains(k.variants, p.name) && s.asksFor(p) && !s.missing[p.name] {
			chosen = append(chosen, p)
		}
	}
	if s.other != "" && slices.Contains(k.variants, "weir-attached") {
		chosen = append(chosen, otherWeir(s.other, "weir-attached"))
	}
	return chosen
}

// asksFor reports whether a variant is one of the peers asked for: weir-one is, with weir.
func (s *session) asksFor(variant peer) bool {
	family, _, _ := strings.Cut(strings.Replace(variant.name, "haproxy3", "haproxy", 1), "-")
	return slices.ContainsFunc(s.peers, func(p peer) bool { return p.name == family || p.name == variant.name })
}

// everybody is all peers that the run needs, and are not missing, once each.
func (s *session) everybody() []peer {
	if s.syscalls || s.profile > 0 {
		return s.there()
	}
	var all []peer
	add := func(peers []peer) {
		for _, p := range peers {
			if !slices.ContainsFunc(all, func(other peer) bool { return other.name == p.name }) {
				all = append(all, p)
			}
		}
	}
	for _, k := range s.kinds {
		add(s.contenders(k))
	}
	if s.idle {
		add(s.there())
	}
	return all
}

func (s *session) ready(p peer) error {
	if p.program == "weir" {
		return s.buildWeir()
	}
	_, err := p.find(s.workspace)
	return err
}

func (s *session) eachPeer(do func(peer) error) error {
	for _, p := range s.there() {
		if err := do(p); err != nil {
			return err
		}
	}
	return nil
}

// report measures everything that was asked for and prints it. What was measured before a
// failure is printed too.
func (s *session) report() error {
	r := &report{host: readHostFacts(), notes: s.notes}
	seen := map[string]bool{}
	for _, p := range s.everybody() {
		if !seen[p.program] {
			title, _, _ := strings.Cut(p.title, ",")
			r.versions = append(r.versions, title+": "+s.version(p))
		}
		seen[p.program] = true
		if p.buffering != "" {
			r.notes = append(r.notes, p.title+": "+p.buffering)
		}
	}
	if s.proxyCore == s.loadCore {
		r.notes = append(r.notes, "**There is only one core: proxy, load and endpoints share it.**")
	}
	failure := s.measureAll(r)
	text := r.markdown()
	fmt.Print(text)
	if s.out != "" {
		if err := os.WriteFile(s.out, []byte(text), 0o644); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	return failure
}

// version is what the peer says of itself, and for Weir the commit too.
func (s *session) version(p peer) string {
	path, err := p.find(s.workspace)
	if err != nil {
		return "unknown"
	}
	version := p.versionOf(s.ctx, path)
	if p.name == "weir" {
		version += ", commit " + s.commit()
	}
	return version
}

func (s *session) measureAll(r *report) error {
	for _, k := range s.kinds {
		m, err := s.measure(k)
		r.add(m)
		if err == nil && k.name == "small" {
			m, err = s.measure(s.constantRate(m))
			r.add(m)
		}
		if err != nil {
			return err
		}
	}
	if !s.idle {
		return nil
	}
	m, err := s.measureIdle()
	r.add(m)
	return err
}

// constantRate is the kind that follows the saturated one.
func (s *session) constantRate(saturated *measurement) kind {
	if s.rate > 0 {
		return saturated.atRate(s.rate, "as asked for")
	}
	return saturated.atRate(saturated.halfPeak())
}
