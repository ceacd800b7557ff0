package main

import (
	"math"
	"strings"
	"testing"
)

func exampleMeasurement() *measurement {
	k := allKinds(128)[0]
	return &measurement{
		kind: k, figures: figuresOf(k)[:2], peers: allPeers()[:2],
		samples: map[string][]sample{
			"weir":  {{CPU: 10, Rate: 60000, Share: 0.8, LoadBusy: 1}, {CPU: 12, Rate: 62000, Share: 0.9, LoadBusy: 1}},
			"nginx": {{CPU: 20, Rate: 40000, Share: 1, Errors: errorCount{sockets: 2, statuses: 1}}, {CPU: 24, Rate: 42000, Share: 1}},
		},
		notes: []string{"nginx, round 1: 2 socket errors"},
	}
}

func TestMeasurement_PrintsATable(t *testing.T) {
	want := `## Small answers (512 bytes of body), saturated

` + "`small`" + `, 128 connections, 2 rounds

| proxy | CPU µs/request | × nginx / HAProxy | requests/s | × nginx / HAProxy | core used | errors |
|---|---:|---:|---:|---:|---:|---:|
| Weir | 11.0 (10.0–12.0) | 0.50 / – | 61,000 (60,000–62,000) | 1.49 / – | 85% | 0 |
| nginx | 22.0 (20.0–24.0) | 1.00 / – | 41,000 (40,000–42,000) | 1.00 / – | 100% | 3 |

- nginx, round 1: 2 socket errors
`
	if got := exampleMeasurement().markdown(); got != want {
		t.Errorf("printed:\n%s\nwant:\n%s", got, want)
	}
}

func TestMeasurement_NotesThatTheLoadSideLimits(t *testing.T) {
	m := exampleMeasurement()
	notes := strings.Join(m.judge(), "\n")
	if !strings.Contains(notes, "Weir: requests/s are limited by the load side") {
		t.Errorf("no word on the load side in %q", notes)
	}
	m.plan.Rate = 1000
	if notes := strings.Join(m.judge(), "\n"); strings.Contains(notes, "limited") {
		t.Errorf("a constant rate is not limited by anybody: %q", notes)
	}
}

func TestMeasurement_HalfPeakIsOfNginx(t *testing.T) {
	m := exampleMeasurement()
	if rate, of := m.halfPeak(); rate != 20500 || of != "half of nginx's peak" {
		t.Errorf("half peak %v, %s", rate, of)
	}
	m.peers = m.peers[:1]
	if rate, of := m.halfPeak(); rate != 30500 || of != "half of Weir's peak" {
		t.Errorf("without nginx: half peak %v, %s", rate, of)
	}
}

func TestReport_ShowsNotesAndVersions(t *testing.T) {
	r := &report{
		host:     hostFacts{date: "2026-01-02 03:04", goVersion: "go1.26", kernel: "6.1", processor: "P", cores: 2},
		versions: []string{"nginx: 1.22"}, notes: []string{"**Weir is left out**"}, measurements: []*measurement{exampleMeasurement()},
	}
	got := r.markdown()
	for _, part := range []string{"# Benchmark of 2026-01-02 03:04", "go1.26, 2 cores (P), Linux 6.1", "nginx: 1.22", "- **Weir is left out**", "| Weir |"} {
		if !strings.Contains(got, part) {
			t.Errorf("no %q in:\n%s", part, got)
		}
	}
}

func TestNewSample_WithoutRequestsHasNoTimes(t *testing.T) {
	k := allKinds(1)[0]
	s := newSample(k, &loadResult{Seconds: 1, CPU: 5, Sockets: 3}, 1<<20)
	if !math.IsNaN(s.CPU) || !math.IsNaN(s.P99) || s.Errors.total() != 3 || s.Memory != 1 {
		t.Errorf("sample %+v", s)
	}
}

func TestNewSample_CountsLargeAnswersByTheirBytes(t *testing.T) {
	k := allKinds(1)[1]
	// Ten requests ended, but the bytes of twelve arrived within the round.
	s := newSample(k, &loadResult{Seconds: 1, CPU: 12e6, Requests: 10, Bytes: 12 << 20}, 0)
	if s.CPUPerMiB != 1 || s.CPU != 1000 {
		t.Errorf("%v ms/MiB and %v µs/request, want 1 and 1000", s.CPUPerMiB, s.CPU)
	}
}

func TestMeasurement_NotesAMissingLog(t *testing.T) {
	m := exampleMeasurement()
	m.notes = nil
	missing := &proxy{peer: allPeers()[0], log: t.TempDir() + "/none"}
	m.checkLog(missing, &loadResult{Requests: 100000})
	if len(m.notes) != 1 || !strings.Contains(m.notes[0], "Weir wrote 0 bytes") {
		t.Errorf("notes %q", m.notes)
	}
	missing.noLog = true
	m.checkLog(missing, &loadResult{Requests: 100000})
	if len(m.notes) != 1 {
		t.Errorf("a log that is off on purpose is noted: %q", m.notes)
	}
}
