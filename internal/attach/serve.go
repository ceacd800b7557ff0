package attach

import (
	"errors"
	"net"
	"time"
)

// Serve accepts connections on l until Close or Drain, or until l fails for good.
// It closes l.
func (d *Door) Serve(l net.Listener) error {
	defer l.Close()
	if !d.open(l) {
		return ErrClosed
	}
	defer d.shut(l)
	var pause time.Duration
	for {
		nc, err := l.Accept()
		switch {
		case err == nil:
			pause = 0
			h := d.begin(nc)
			if h == nil {
				_ = nc.Close()
				return ErrClosed
			}
			go h.run()
		case d.isClosing():
			return ErrClosed
		case isTemporary(err):
			// Out of descriptors, most likely: connections that end give some
			// back.
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			d.opts.Log.Warn("cannot accept a connection, trying again", "listener", l.Addr(), "error", err)
			time.Sleep(pause)
		default:
			return err
		}
	}
}

func isTemporary(err error) bool {
	var t interface{ Temporary() bool }
	return errors.As(err, &t) && t.Temporary()
}

func (d *Door) open(l net.Listener) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closing {
		return false
	}
	d.listeners[l] = struct{}{}
	return true
}

func (d *Door) shut(l net.Listener) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.listeners, l)
}

func (d *Door) isClosing() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.closing
}
