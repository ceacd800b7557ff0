// Package real tests the built binary, as a process, beside real servers and
// clients: nginx, HAProxy, curl, wrk, strace, network namespaces. Its tests have
// the build tag real and are run by "make test-real", which installs what they
// need; they never skip.
//
// The files named chaos have an adversary harm endpoint processes under load, and
// account for every request afterwards; "make chaos" lets it go on for longer.
package real
