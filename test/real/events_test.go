//go:build real

package real

import (
	"bufio"
	"fmt"
	"net/http"
	"testing"
)

// Each server-sent event reaches the client before the endpoint may write the
// next one: nothing is held back.
func TestServerSentEvents_AreNotHeldBack(t *testing.T) {
	const events = 20
	received := make(chan struct{})
	endpoint := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range events {
			_, _ = fmt.Fprintf(w, "data: %d\n\n", i)
			_ = http.NewResponseController(w).Flush()
			select {
			case <-received:
			case <-r.Context().Done():
				return
			}
		}
	})
	client := newHTTPClient(t)
	client.Timeout = patience
	resp, err := client.Get(startPlain(t, endpoint).url("/"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	in := bufio.NewReader(resp.Body)
	for i := range events {
		line, err := in.ReadString('\n')
		if want := fmt.Sprintf("data: %d\n", i); err != nil || line != want {
			t.Fatalf("event %d is %q, %v", i, line, err)
		}
		if line, err := in.ReadString('\n'); err != nil || line != "\n" {
			t.Fatalf("event %d ends with %q, %v", i, line, err)
		}
		received <- struct{}{}
	}
}
