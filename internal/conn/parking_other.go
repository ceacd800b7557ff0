//go:build !linux

package conn

// parking is for Linux; elsewhere every connection keeps its goroutine.
type parking struct{}
