package attach

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
)

// TestHandshake_LetsAStampedeIn has far more workers dial in one moment than there are
// places: who comes late does not take the place of one who has just come.
func TestHandshake_LetsAStampedeIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const workers, places = 300, 8
		room := newRoom(t, "127.0.0.1", Options{Handshakes: places}, anonymous)
		var all sync.WaitGroup
		all.Go(func() {
			for range workers {
				_ = (<-room.announced).Conn.Close()
			}
		})
		for range workers {
			all.Go(func() {
				if a := ask(t, room.dial(t), request()); a.StatusCode != http.StatusSwitchingProtocols {
					t.Errorf("one of %d workers got %d", workers, a.StatusCode)
				}
			})
		}
		all.Wait()
	})
}
