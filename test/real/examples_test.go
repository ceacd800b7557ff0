//go:build real

package real

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Each example is started by its one command, and shown by the other, as they are
// written: in a network of its own, where no port is taken.
func TestExamples_DoWhatTheyShow(t *testing.T) {
	for _, e := range []struct {
		folder, form string
		ready        string // what run.sh says
		times        int
		shown        []string // in this order
	}{
		{
			folder: "reverse-proxy", ready: "listening on 127.0.0.1:65535", times: 1,
			shown: []string{
				"HTTP/1.1 200 OK", "Via: 1.1 ", `"data": "{\"snot\": \"badger\",\"forwarded\":`, `"127.0.0.1:8082"`, `"upstream03"`,
				"# A GET without content", `"method": "GET"`, `"data": "snot"`, "HTTP/1.1 418 ", "HTTP/1.1 400 ", `"error":"dot_segments"`,
			},
		},
		{
			folder: "first-usable", ready: "listening on 127.0.0.1:8080", times: 1,
			shown: []string{
				"one answers /hello, its request 1\n", "two answers /busy, its request 1\n", `two answers /busy, its request 2, with "an order"`,
				"HTTP/1.1 502 ", "three answers /down, its request 1\n",
				"one answers /hello, ", "three answers /busy, ", "three answers /missing, ",
			},
		},
		{
			folder: "zero-config", ready: "attached to 127.0.0.1:7000", times: 3,
			shown: []string{"ello from worker-", "ello from worker-", "ello from worker-", `"instance": "worker-1"`},
		},
		{
			folder: "services-and-versions", ready: "listening on ", times: 1,
			shown: []string{
				"127.0.0.1:9091 /x?y=1\n", "127.0.0.1:9092 /x?y=1\n", "127.0.0.1:9091 /x?y=1\n", " /a%2Fb\n",
				"HTTP/1.1 404 ", `"error":"unknown_service"`, "HTTP/1.1 404 ", `"error":"no_route"`,
				`{"serviceone":{"v1":["127.0.0.1:9091","127.0.0.1:9092"]}}`, "127.0.0.1:9092 /x\n", "127.0.0.1:9092 /x\n",
			},
		},
		{
			folder: "services-and-versions", form: "yaml", ready: "listening on 127.0.0.1:9090", times: 1,
			shown: []string{
				"127.0.0.1:9091 /x?y=1\n", "127.0.0.1:9092 /x?y=1\n", "127.0.0.1:9091 /x?y=1\n", " /a%2Fb\n",
				"HTTP/1.1 404 ", `"error":"unknown_service"`, "HTTP/1.1 404 ", `"error":"no_route"`, `"http://127.0.0.1:9091"`,
			},
		},
	} {
		t.Run(strings.TrimSpace(e.folder+" "+e.form), func(t *testing.T) {
			x := newExample(t, e.folder, e.form)
			x.await(t, e.ready, e.times)
			shown := x.show(t)
			rest := shown
			for _, want := range e.shown {
				_, after, ok := strings.Cut(rest, want)
				if !ok {
					t.Fatalf("show.sh does not go on to show %q:\n%s", want, shown)
				}
				rest = after
			}
		})
	}
}

// An example is one of the folders below examples, running.
type example struct {
	*process
	folder, form, network string
}

func newExample(t *testing.T, folder, form string) *example {
	t.Helper()
	ns := newNamespace(t)
	output(t, "ip", "-n", ns.name, "link", "set", "lo", "up")
	t.Setenv("WEIR", weirBinary)
	x := &example{folder: filepath.Join("../../examples", folder), form: form, network: ns.name}
	x.process = start(t, "ip", x.command("run.sh")...)
	return x
}

// command is a script of the example, within its network.
func (x *example) command(script string) []string {
	args := []string{"netns", "exec", x.network, filepath.Join(x.folder, script)}
	if x.form != "" {
		args = append(args, x.form)
	}
	return args
}

// await waits until run.sh has said something n times; it may have to build first.
func (x *example) await(t *testing.T, text string, n int) {
	t.Helper()
	for late := time.Now().Add(3 * time.Minute); strings.Count(strings.Join(x.lines(), "\n"), text) < n; time.Sleep(50 * time.Millisecond) {
		select {
		case <-x.done:
			t.Fatalf("run.sh has ended:\n%s", strings.Join(x.lines(), "\n"))
		default:
		}
		if time.Now().After(late) {
			t.Fatalf("run.sh does not say %q:\n%s", text, strings.Join(x.lines(), "\n"))
		}
	}
}

func (x *example) show(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("ip", x.command("show.sh")...).CombinedOutput()
	if err != nil {
		t.Fatalf("show.sh: %v\n%s", err, out)
	}
	return strings.ReplaceAll(string(out), "\r\n", "\n")
}

// The configurations of all examples are good ones.
func TestExamples_AreChecked(t *testing.T) {
	files, err := filepath.Glob("../../examples/*/weir.yaml")
	if err != nil || len(files) < 3 {
		t.Fatalf("there are %d configurations (%v)", len(files), err)
	}
	for _, file := range files {
		if out, err := exec.Command(weirBinary, "check", "-c", file).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", file, err, out)
		}
	}
	if _, err := os.Stat("../../examples/README.md"); err != nil {
		t.Error("the examples are not listed in examples/README.md")
	}
}
