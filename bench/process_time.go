package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// cpuTimeOf sums user and system time of processes, threads that ended included. A process
// that is gone counts nothing.
func cpuTimeOf(pids []int) time.Duration {
	var sum time.Duration
	for _, pid := range pids {
		t, err := processClock(pid)
		if err != nil {
			t, _ = tickTime(pid)
		}
		sum += t
	}
	return sum
}

// processClock reads the CPU-time clock of another process: the scheduler's own sum in
// nanoseconds, where /proc/PID/stat rounds to 10 ms. The number of the clock is the kernel's
// ABI (posix-timers: MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED)); see
// clock_getcpuclockid(3).
func processClock(pid int) (time.Duration, error) {
	const cpuClockSched = 2
	var now unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|cpuClockSched), &now); err != nil {
		return 0, fmt.Errorf("read the CPU clock of process %d: %w", pid, err)
	}
	return time.Duration(now.Nano()), nil
}

// tick is the unit of times in /proc: USER_HZ is 100 on every Linux that Go runs on.
const tick = 10 * time.Millisecond

func tickTime(pid int) (time.Duration, error) {
	stat, err := readStat(pid)
	return stat.cpu, err
}

// processStat is the part of /proc/PID/stat in use.
type processStat struct {
	parent int
	cpu    time.Duration // user and system
}

func readStat(pid int) (processStat, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return processStat{}, err
	}
	return parseStat(string(data))
}

var errStat = errors.New("not the format of /proc/PID/stat")

// parseStat splits behind the command, whose name may hold spaces and parentheses; see
// proc(5): ppid is field 4, utime and stime are 14 and 15.
func parseStat(text string) (processStat, error) {
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 13 {
		return processStat{}, errStat
	}
	parent, err1 := strconv.Atoi(fields[1])
	user, err2 := strconv.ParseInt(fields[11], 10, 64)
	system, err3 := strconv.ParseInt(fields[12], 10, 64)
	if err := errors.Join(err1, err2, err3); err != nil {
		return processStat{}, fmt.Errorf("%w: %w", errStat, err)
	}
	return processStat{parent: parent, cpu: time.Duration(user+system) * tick}, nil
}

// processTree is a process and all that descend from it.
func processTree(root int) []int {
	tree := []int{root}
	parents := parentsOfAll()
	for i := 0; i < len(tree); i++ {
		for pid, parent := range parents {
			if parent == tree[i] {
				tree = append(tree, pid)
			}
		}
	}
	slices.Sort(tree)
	return tree
}

func parentsOfAll() map[int]int {
	parents := map[int]int{}
	entries, _ := os.ReadDir("/proc")
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if stat, err := readStat(pid); err == nil {
			parents[pid] = stat.parent
		}
	}
	return parents
}

// residentMemory sums what processes hold in memory, in bytes: the proportional set size,
// so that pages that a master shares with its workers count once.
func residentMemory(pids []int) (int64, error) {
	var sum int64
	for _, pid := range pids {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			return 0, fmt.Errorf("read the memory of process %d: %w", pid, err)
		}
		n, err := parseMemory(data, "Pss")
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// parseMemory reads one line of the form "Pss:   12 kB".
func parseMemory(data []byte, name string) (int64, error) {
	for line := range bytes.Lines(data) {
		fields := strings.Fields(string(line))
		if len(fields) == 3 && fields[0] == name+":" && fields[2] == "kB" {
			n, err := strconv.ParseInt(fields[1], 10, 64)
			return n << 10, err
		}
	}
	return 0, fmt.Errorf("no %s among the memory figures", name)
}

// coreTime is how long a core was busy and idle since the system started.
type coreTime struct{ busy, idle time.Duration }

func (c coreTime) since(before coreTime) coreTime {
	return coreTime{busy: c.busy - before.busy, idle: c.idle - before.idle}
}

// share is the part of the time that the core was busy.
func (c coreTime) share() float64 {
	if c.busy+c.idle <= 0 {
		return 0
	}
	return float64(c.busy) / float64(c.busy+c.idle)
}

func readCoreTime(core int) (coreTime, error) {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return coreTime{}, err
	}
	return parseCoreTime(string(data), core)
}

// parseCoreTime reads the line cpuN of /proc/stat: user nice system idle iowait irq softirq
// steal; what follows is contained in those.
func parseCoreTime(text string, core int) (coreTime, error) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 9 || fields[0] != "cpu"+strconv.Itoa(core) {
			continue
		}
		var total coreTime
		for i, field := range fields[1:9] {
			n, err := strconv.ParseInt(field, 10, 64)
			if err != nil {
				return coreTime{}, fmt.Errorf("read the time of core %d: %w", core, err)
			}
			if i == 3 || i == 4 {
				total.idle += time.Duration(n) * tick
			} else {
				total.busy += time.Duration(n) * tick
			}
		}
		return total, nil
	}
	return coreTime{}, fmt.Errorf("no core %d in /proc/stat", core)
}
