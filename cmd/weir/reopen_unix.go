//go:build unix

package main

import "syscall"

// reopenSignal is what log rotation sends.
const reopenSignal = syscall.SIGUSR1
