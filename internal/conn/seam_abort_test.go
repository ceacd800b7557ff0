package conn

import (
	"testing"
)

// operations are all that can be waiting for the peer.
var operations = map[string]func(Conn) error{
	"Loop": func(c Conn) error { return c.Loop(func() bool { return false }) },
	"Read": func(c Conn) error {
		_, err := c.Read(make([]byte, 64))
		return err
	},
	"Write": func(c Conn) error {
		_, err := c.Write(make([]byte, flood))
		return err
	},
	"WriteThenWait": func(c Conn) error {
		_, err := c.WriteThenWait([]byte("hello"))
		if err == nil {
			_, err = c.Read(make([]byte, 64))
		}
		return err
	},
}

func TestConn_AbortWakesWhateverWaits(t *testing.T) {
	overEveryWiring(t, func(t *testing.T, s wiring) {
		for name, operation := range operations {
			t.Run(name, func(t *testing.T) {
				c, _, _ := s.open(t)
				waiting := start(func() error { return operation(c) })
				c.Abort() // before, while or after it begins to wait
				if err := soon(t, "it has failed", waiting); err == nil {
					t.Error("it succeeded on an aborted connection")
				}
				if err := soon(t, "it fails at once", start(func() error { return operation(c) })); err == nil {
					t.Error("later it succeeded on an aborted connection")
				}
			})
		}
	})
}

func TestConn_AbortReadIsUndoneByAllowRead(t *testing.T) {
	overEveryWiring(t, func(t *testing.T, s wiring) {
		c, peer, _ := s.open(t)
		reading := start(func() error {
			_, err := c.Read(make([]byte, 64))
			return err
		})
		c.AbortRead()
		if err := soon(t, "Read has failed", reading); err == nil {
			t.Fatal("Read succeeded after AbortRead")
		}
		echo(peer, 5)
		if _, err := c.Write([]byte("hello")); err != nil {
			t.Fatalf("AbortRead keeps Write from working: %v", err)
		}
		c.AllowRead()
		room := make([]byte, 64)
		if n, err := c.Read(room); err != nil || string(room[:n]) != "hello" {
			t.Errorf("after AllowRead Read returns %q, %v; want what was missed", room[:n], err)
		}
	})
}

func TestConn_AllowWriteLetsOneSayALastWord(t *testing.T) {
	overEveryWiring(t, func(t *testing.T, s wiring) {
		c, peer, _ := s.open(t)
		c.Abort()
		c.AllowWrite(patience)
		read := start(func() error {
			_, err := peer.Read(make([]byte, 64))
			return err
		})
		if _, err := c.Write([]byte("HTTP/1.1 408 Request Timeout\r\n\r\n")); err != nil {
			t.Fatalf("Write after AllowWrite: %v", err)
		}
		if err := soon(t, "the peer has read it", read); err != nil {
			t.Errorf("the peer reads: %v", err)
		}
		if _, err := c.Read(make([]byte, 8)); err == nil {
			t.Error("AllowWrite has allowed reading as well")
		}
	})
}

func TestConn_CloseGivesTheWatchBack(t *testing.T) {
	overEveryWiring(t, func(t *testing.T, s wiring) {
		dog := handWound()
		c, _, _ := s.openWatched(t, dog)
		w := c.Watch()
		if err := c.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
		if w.Phase() != PhaseNone || dog.live != 0 {
			t.Errorf("after Close the watch is in phase %d and %d connections are live", w.Phase(), dog.live)
		}
	})
}
