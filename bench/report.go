package main

import (
	"fmt"
	"math"
	"strings"
)

// figure is a column of a table.
type figure struct {
	name  string
	value func(sample) float64
}

// figuresOf are the columns that matter for a kind of work.
func figuresOf(k kind) []figure {
	cpu := []figure{{"CPU µs/request", func(s sample) float64 { return s.CPU }}}
	if k.bytes {
		cpu = append([]figure{{"CPU ms/MiB", func(s sample) float64 { return s.CPUPerMiB }}}, cpu...)
	}
	return append(
		cpu,
		figure{"requests/s", func(s sample) float64 { return s.Rate }},
		figure{"p50 ms", func(s sample) float64 { return s.P50 }},
		figure{"p99 ms", func(s sample) float64 { return s.P99 }},
		figure{"memory MiB", func(s sample) float64 { return s.Memory }},
	)
}

// idleFigures are the columns for idle connections.
func idleFigures() []figure {
	return []figure{
		{"KiB/connection", func(s sample) float64 { return s.PerConn }},
		{"memory MiB", func(s sample) float64 { return s.Memory }},
	}
}

// markdown is the table of one kind of work with its notes.
func (m *measurement) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n", m.title)
	fmt.Fprintf(&b, "`%s`, %d connections, %d rounds", m.name, m.plan.Conns, m.rounds())
	if m.cipher != "" {
		fmt.Fprintf(&b, ", %s", m.cipher)
	}
	b.WriteString("\n\n| proxy |")
	for _, f := range m.figures {
		fmt.Fprintf(&b, " %s | × %s |", f.name, m.referenceTitles())
	}
	b.WriteString(" core used | errors |\n|---|" + strings.Repeat("---:|---:|", len(m.figures)) + "---:|---:|\n")
	for _, p := range m.peers {
		b.WriteString(m.row(p))
	}
	b.WriteString("\n")
	for _, note := range m.notes {
		fmt.Fprintf(&b, "- %s\n", note)
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func (m *measurement) rounds() int {
	most := 0
	for _, samples := range m.samples {
		most = max(most, len(samples))
	}
	return most
}

func (m *measurement) row(p peer) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s |", p.title)
	for _, f := range m.figures {
		own := m.spread(p.name, f.value)
		fmt.Fprintf(&b, " %s | %s |", own, m.ratios(own, f))
	}
	share := m.spread(p.name, func(s sample) float64 { return s.Share })
	var errors errorCount
	for _, s := range m.samples[p.name] {
		errors = errors.plus(s.Errors)
	}
	fmt.Fprintf(&b, " %s | %d |\n", percent(share.median), errors.total())
	return b.String()
}

// ratios are those of medians, to each reference.
func (m *measurement) ratios(own spread, f figure) string {
	var cells []string
	for _, r := range m.references {
		cells = append(cells, number(ratio(own, m.spread(r.peer, f.value))))
	}
	return strings.Join(cells, " / ")
}

func (m *measurement) referenceTitles() string {
	var titles []string
	for _, r := range m.references {
		titles = append(titles, r.title)
	}
	return strings.Join(titles, " / ")
}

func percent(share float64) string {
	if math.IsNaN(share) {
		return "–"
	}
	return fmt.Sprintf("%.0f%%", share*100)
}

// report is the whole document.
type report struct {
	host         hostFacts
	versions     []string
	notes        []string
	measurements []*measurement
}

// add keeps a measurement, a broken off one too, if it has anything to show.
func (r *report) add(m *measurement) {
	if m.rounds() > 0 {
		r.measurements = append(r.measurements, m)
	}
}

func (r *report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Benchmark of %s\n\n", r.host.date)
	fmt.Fprintf(&b, "%s, %d cores (%s), Linux %s.\n", r.host.goVersion, r.host.cores, r.host.processor, r.host.kernel)
	fmt.Fprintf(&b, "%s.\n\n", strings.Join(r.versions, "; "))
	b.WriteString("Medians of interleaved rounds, (lowest–highest); ratios are of medians, and only they mean anything across runs. " +
		"The proxy has one core, load and endpoints another.\n")
	for _, note := range r.notes {
		fmt.Fprintf(&b, "- %s\n", note)
	}
	for _, m := range r.measurements {
		b.WriteString("\n" + m.markdown())
	}
	return b.String()
}
