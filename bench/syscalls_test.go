package main

import (
	"slices"
	"testing"
)

const straceSummary = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 42.31    0.123456          12      2020        20 read
 40.00    0.110000          11      2000           write
  9.00    0.020000          10       200           epoll_pwait
  5.00    0.010000          10       100         3 futex
  0.01    0.000010          10         1           getpid
------ ----------- ----------- --------- --------- ----------------
100.00    0.263466          11      4321        23 total
`

func TestParseSummary_ReadsEveryLineButTheTotal(t *testing.T) {
	want := []syscallCount{{"read", 2020, 20}, {"write", 2000, 0}, {"epoll_pwait", 200, 0}, {"futex", 100, 3}, {"getpid", 1, 0}}
	if got := parseSummary(straceSummary); !slices.Equal(got, want) {
		t.Errorf("parsed %v, want %v", got, want)
	}
}

func TestDescribeSyscalls_GroupsThem(t *testing.T) {
	want := `weir: 4.02 socket system calls per request (read 2.02, write 2.00), 0.02 failed
weir: 0.20 epoll system calls per request (epoll_pwait 0.20), 0.00 failed
weir: 0.10 futex system calls per request (futex 0.10), 0.00 failed
weir: 0.00 other system calls per request, 0.00 failed
weir: 1000 requests, 2 errors
`
	got := describeSyscalls("weir", parseSummary(straceSummary), &loadResult{Requests: 1000, Sockets: 2})
	if got != want {
		t.Errorf("described as:\n%s\nwant:\n%s", got, want)
	}
}
