//go:build !linux

package conn

const canPark = false

// parking is for Linux; elsewhere every connection keeps its goroutine.
type parking struct{}

func (*parking) add(int32, *Watch, Unparker) (bool, error) { return false, nil }

func (*parking) remove(int32, Unparker) bool { return false }
