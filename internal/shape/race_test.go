//go:build race

package shape

// Pools forget at random under the race detector.
const raceEnabled = true
