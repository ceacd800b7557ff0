//go:build real

package real

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"
)

// flat is how much memory a body of any size may take, in KiB.
const flat = 20 << 10

// Bodies of any size go through at flat memory.
func TestLargeBodies_TakeNoMemory(t *testing.T) {
	endpoint := serve(t, largeBodies)
	ca := newAuthority(t)
	p := ca.issue(t, "127.0.0.1")
	w := startWeir(t, fmt.Sprintf(`
listeners:
  - address: "127.0.0.1:0"
  - address: "127.0.0.1:0"
    tls: { certificates: [{ cert: %q, key: %q }] }
services: { default: { endpoints: [%q] } }`, p.cert, p.key, endpoint))
	client := newHTTPClient(t)
	client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: ca.pool()}
	plain, secure := w.url("/"), "https://"+w.addresses[1]+"/"
	for _, test := range []struct {
		name, url string
		size      int64
	}{{"plain", plain, 2 << 30}, {"tls", secure, 256 << 20}} {
		// The first of a kind brings in what any of them needs.
		download(t, client, test.url, 1<<20)
		upload(t, client, test.url, 1<<20)
		for kind, move := range map[string]func(*testing.T, *http.Client, string, int64){"download": download, "upload": upload} {
			t.Run(test.name+"/"+kind, func(t *testing.T) {
				before := w.memory(t, "VmHWM")
				move(t, client, test.url, test.size)
				grown := w.memory(t, "VmHWM") - before
				t.Logf("%d MiB: peak memory grew by %d KiB, to %d KiB", test.size>>20, grown, before+grown)
				if grown > flat {
					t.Errorf("peak memory grew by %d KiB", grown)
				}
			})
		}
	}
}

// largeBodies answers a GET with as many zeros as it says, and a POST with how
// many bytes it had.
func largeBodies(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		n, err := io.Copy(io.Discard, r.Body)
		_, _ = fmt.Fprintf(w, "%d %v", n, err)
		return
	}
	size, _ := strconv.ParseInt(r.URL.RawQuery, 10, 64)
	w.Header().Set("Content-Length", r.URL.RawQuery)
	_, _ = io.CopyN(w, zeros{}, size)
}

func download(t *testing.T, client *http.Client, url string, size int64) {
	t.Helper()
	resp, err := client.Get(fmt.Sprintf("%s?%d", url, size))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); n != size || err != nil {
		t.Fatalf("%d bytes came, %v", n, err)
	}
}

func upload(t *testing.T, client *http.Client, url string, size int64) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, url, io.LimitReader(zeros{}, size))
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = size
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if want := fmt.Sprintf("%d <nil>", size); string(answer) != want || err != nil {
		t.Fatalf("the endpoint got %q, %v", answer, err)
	}
}

// zeros never end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
