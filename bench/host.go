package main

import (
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// hostFacts is where the figures come from.
type hostFacts struct {
	date, goVersion, kernel, processor string
	cores                              int
}

func readHostFacts() hostFacts {
	facts := hostFacts{
		date: time.Now().Format("2006-01-02 15:04"), goVersion: runtime.Version(),
		cores: runtime.NumCPU(), processor: "unknown processor", kernel: "unknown",
	}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		facts.kernel = unix.ByteSliceToString(name.Release[:])
	}
	data, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(data)) {
		if key, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(key) == "model name" {
			facts.processor = strings.TrimSpace(value)
			break
		}
	}
	return facts
}
