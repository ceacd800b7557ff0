//go:build unix && race

package scale

// mostMemory is how many KiB of heap and stack a worker may take: with the race
// detector's own frames.
const mostMemory = 64
