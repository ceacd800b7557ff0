package config

import "time"

// The bounds of backpressure.steps.
const (
	maxSteps = 32
	maxStep  = Duration(time.Hour)
)

func (c *checker) backpressure(b Backpressure, path string) {
	c.statuses(b.Failures, failureNames, joinKey(path, "failures"))
	steps := joinKey(path, "steps")
	switch {
	case b.Steps != nil && len(b.Steps) == 0:
		c.add(steps, "an empty list has no rest; to have none, write backpressure: off")
	case len(b.Steps) > maxSteps:
		c.add(steps, "has %d steps; at most %d", len(b.Steps), maxSteps)
	}
	for i, step := range b.Steps {
		below := joinIndex(steps, i)
		switch {
		case step <= 0:
			c.add(below, "must be more than 0")
		case step > maxStep:
			c.add(below, "must be at most %v", maxStep)
		case i > 0 && step < b.Steps[i-1]:
			c.add(below, "is shorter than the step before it, %v", b.Steps[i-1])
		}
	}
}
