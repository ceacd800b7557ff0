package main

import "syscall"

// reopenSignal is none that Windows has: it has no log rotation by signals.
const reopenSignal = syscall.Signal(-1)
