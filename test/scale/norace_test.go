//go:build unix && !race

package scale

// mostMemory is how many KiB of heap and stack a worker may take.
const mostMemory = 32
