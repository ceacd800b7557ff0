package main

import (
	"os"
	"slices"
	"testing"
	"time"
)

func TestParseStat_SurvivesTheCommandsName(t *testing.T) {
	text := "4711 (a (b) c d) S 4700 4711 4711 0 -1 4194304 1 2 3 4 150 250 7 8 20 0 1 0 100 200 300\n"
	stat, err := parseStat(text)
	if err != nil {
		t.Fatal(err)
	}
	if stat.parent != 4700 || stat.cpu != 4*time.Second {
		t.Errorf("parsed parent %d and CPU %v, want 4700 and 4s", stat.parent, stat.cpu)
	}
}

func TestParseStat_RefusesOtherText(t *testing.T) {
	for _, text := range []string{"", "12 (x) S", "12 (x) S a b c d e f g h i j k l m n"} {
		if _, err := parseStat(text); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

func TestParseCoreTime_SplitsBusyFromIdle(t *testing.T) {
	text := "cpu  10 0 10 80 0 0 0 0 0 0\ncpu0 1 2 3 400 50 6 7 8 9 9\ncpu1 0 0 0 100 0 0 0 0 0 0\ncpu10 9 9 9 9 9 9 9 9 9 9\n"
	got, err := parseCoreTime(text, 0)
	if err != nil {
		t.Fatal(err)
	}
	if want := (coreTime{busy: 270 * time.Millisecond, idle: 4500 * time.Millisecond}); got != want {
		t.Errorf("core 0 has %+v, want %+v", got, want)
	}
	if got, _ := parseCoreTime(text, 1); got.busy != 0 {
		t.Errorf("core 1 has %+v, want it idle", got)
	}
	if _, err := parseCoreTime(text, 2); err == nil {
		t.Error("a core that is not listed was found")
	}
}

func TestCoreTime_ShareOfNoTimeIsZero(t *testing.T) {
	if got := (coreTime{}).share(); got != 0 {
		t.Errorf("share = %v", got)
	}
	after, before := coreTime{busy: 30, idle: 30}, coreTime{busy: 0, idle: 20}
	if got := after.since(before).share(); got != 0.75 {
		t.Errorf("share = %v, want 0.75", got)
	}
}

func TestParseMemory_FindsTheLine(t *testing.T) {
	data := []byte("55d0-7ffe ---p 00000000 00:00 0 [rollup]\nRss:  2048 kB\nPss:  1536 kB\nPss_Dirty: 1 kB\n")
	if got, err := parseMemory(data, "Pss"); err != nil || got != 1536<<10 {
		t.Errorf("Pss = %d, %v, want %d", got, err, 1536<<10)
	}
	if _, err := parseMemory(data, "Swap"); err == nil {
		t.Error("a figure that is not listed was found")
	}
}

func TestProcessClock_CountsWhatIsBurnt(t *testing.T) {
	self := os.Getpid()
	before, err := processClock(self)
	if err != nil {
		t.Skipf("no clock of processes here: %v", err)
	}
	ticksBefore, err := tickTime(self)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		burn()
	}
	after, err := processClock(self)
	if err != nil {
		t.Fatal(err)
	}
	ticksAfter, err := tickTime(self)
	if err != nil {
		t.Fatal(err)
	}
	clock, ticks := after-before, ticksAfter-ticksBefore
	if difference := clock - ticks; difference < -3*tick || difference > 3*tick {
		t.Errorf("the clock counts %v and /proc/PID/stat %v", clock, ticks)
	}
}

// burn takes some milliseconds of processor time.
func burn() {
	data := make([]int, 1<<17)
	for i := range data {
		data[i] = (i * 7919) % len(data)
	}
	slices.Sort(data)
}

func TestProcessTree_HoldsItsRoot(t *testing.T) {
	tree := processTree(os.Getppid())
	if !slices.Contains(tree, os.Getpid()) || !slices.Contains(tree, os.Getppid()) {
		t.Errorf("the tree of the parent %d is %v, without parent or child %d", os.Getppid(), tree, os.Getpid())
	}
}
