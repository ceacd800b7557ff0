package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weirproxy/weir/config"
)

// What the admin API answers, as far as it is shown; see docs/reference/admin-api.md.
type (
	serviceList struct {
		Services []serviceState `json:"services"`
	}

	serviceState struct {
		Name         string          `json:"name"`
		Strategy     string          `json:"strategy"`
		Balance      string          `json:"balance"`
		Concurrency  int             `json:"concurrency"`
		InFlight     int             `json:"in_flight"`
		QueueWaiting int             `json:"queue_waiting"`
		Split        map[string]int  `json:"split"`
		Sources      []sourceState   `json:"sources"`
		Removed      []string        `json:"removed"`
		Endpoints    []endpointState `json:"endpoints"`
	}

	sourceState struct {
		Kind      string    `json:"kind"`
		State     string    `json:"state"`
		Error     string    `json:"error"`
		Since     time.Time `json:"since"`
		Endpoints int       `json:"endpoints"`
	}

	endpointState struct {
		Name        string    `json:"name"`
		URL         string    `json:"url"`
		Weight      int       `json:"weight"`
		Source      string    `json:"source"`
		Zone        string    `json:"zone"`
		Up          bool      `json:"up"`
		Since       time.Time `json:"since"`
		State       string    `json:"state"`
		Step        int       `json:"step"`
		InFlight    int       `json:"in_flight"`
		Concurrency int       `json:"concurrency"`
		Failures    uint64    `json:"failures"`
		LastError   string    `json:"last_error"`
	}

	placedProblem struct {
		File       string `json:"file"`
		Line       int    `json:"line"`
		Column     int    `json:"column"`
		Path       string `json:"path"`
		Message    string `json:"message"`
		SourceLine string `json:"source_line"`
	}
)

// up tells how many endpoints there are, and how many of them get requests.
func (s *serviceState) up() string {
	n := 0
	for _, e := range s.Endpoints {
		if e.Up {
			n++
		}
	}
	return fmt.Sprintf("%d/%d", n, len(s.Endpoints))
}

func (s *serviceState) inFlight() string { return ofLimit(s.InFlight, s.Concurrency) }

// split tells how requests are shared among versions.
func (s *serviceState) split() string {
	var parts []string
	for _, version := range slices.Sorted(maps.Keys(s.Split)) {
		parts = append(parts, fmt.Sprintf("%s %d", version, s.Split[version]))
	}
	return strings.Join(parts, ", ")
}

func (s *sourceState) String() string {
	text := fmt.Sprintf("%s: %s, %s", s.Kind, s.State, count(s.Endpoints, "endpoint"))
	if s.State != "ok" && !s.Since.IsZero() {
		text += ", for " + age(s.Since)
	}
	if s.Error != "" {
		text += " (" + s.Error + ")"
	}
	return text
}

// state is the word for what it is doing.
func (e *endpointState) state() string {
	switch {
	case e.Step > 0:
		return fmt.Sprintf("%s, step %d", e.State, e.Step)
	case e.State != "":
		return e.State
	case e.Up:
		return "up"
	}
	return "down"
}

func (e *endpointState) inFlight() string { return ofLimit(e.InFlight, e.Concurrency) }

// elsewhere is where it is, unless its name says so.
func (e *endpointState) elsewhere() string {
	if e.URL == e.Name || e.Source == "worker" || strings.HasPrefix(e.URL, "worker:") {
		return ""
	}
	return e.URL
}

func ofLimit(n, limit int) string {
	if limit > 0 {
		return fmt.Sprintf("%d/%d", n, limit)
	}
	return fmt.Sprint(n)
}

// age tells how long ago something was, in one unit.
func age(since time.Time) string {
	if since.IsZero() {
		return ""
	}
	d := max(0, time.Since(since))
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours())/24)
}

// asProblems are the problems as weir check has them.
func asProblems(list []placedProblem) (problems config.Problems) {
	for _, p := range list {
		problems = append(problems, config.Problem(p))
	}
	return problems
}
