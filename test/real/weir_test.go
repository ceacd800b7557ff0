//go:build real

package real

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A proxy is Weir as a process.
type proxy struct {
	*process
	addresses []string // of the listeners, in order
	admin     string
}

var (
	listening = regexp.MustCompile(`^listening on (\S+) \(`)
	adminURL  = regexp.MustCompile(`http://([^/]+)/`)
)

// startWeir runs Weir with a configuration, and waits until it listens.
func startWeir(t *testing.T, yaml string) *proxy {
	t.Helper()
	path := filepath.Join(t.TempDir(), "weir.yaml")
	writeFile(t, path, yaml+"\nadmin: { address: \"127.0.0.1:0\" }\n")
	return startFile(t, path)
}

// startPlain runs Weir with one plain listener in front of endpoints.
func startPlain(t *testing.T, endpoints ...string) *proxy {
	t.Helper()
	return startWeir(t, "listeners: [{ address: \"127.0.0.1:0\" }]\nservices: { default: { endpoints: ["+quoted(endpoints)+"] } }")
}

func quoted(list []string) string {
	var q []string
	for _, s := range list {
		q = append(q, strconv.Quote(s))
	}
	return strings.Join(q, ", ")
}

// url is a URL on the first listener.
func (p *proxy) url(path string) string { return "http://" + p.addresses[0] + path }

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// metric returns the sum of each metric's series whose labels contain all of
// those given, such as `code="2xx"`.
func (p *proxy) metric(t *testing.T, name string, labels ...string) (sum float64) {
	t.Helper()
	resp, err := http.Get("http://" + p.admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	in := bufio.NewScanner(resp.Body)
next:
	for in.Scan() {
		series, value, _ := strings.Cut(in.Text(), " ")
		base, _, _ := strings.Cut(series, "{")
		if base != name {
			continue
		}
		for _, l := range labels {
			if !strings.Contains(series, l) {
				continue next
			}
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatalf("%s: %v", in.Text(), err)
		}
		sum += v
	}
	return sum
}

// memory returns a line of /proc/PID/status, in KiB.
func (p *proxy) memory(t *testing.T, key string) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid()))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^` + key + `:\s+(\d+) kB$`).FindSubmatch(text)
	if m == nil {
		t.Fatalf("no %s in\n%s", key, text)
	}
	n, _ := strconv.Atoi(string(m[1]))
	return n
}

// get asks for a URL and wants 200.
func get(t *testing.T, client *http.Client, url string) string {
	t.Helper()
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %q %v", url, resp.Status, body, err)
	}
	return string(body)
}

// newHTTPClient returns a client with connections of its own.
func newHTTPClient(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 1000, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 2 * time.Minute}
}
