//go:build real

package real

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirproxy/weir/internal/smuggling"
)

// curl reads what becomes of each response of the corpus as net/http does: the
// same status, the same content, broken off or not.
func TestSmuggling_CurlReadsTheSame(t *testing.T) {
	cases, err := smuggling.ResponseCases()
	if err != nil {
		t.Fatal(err)
	}
	routes, services := "routes:\n", "services:\n"
	for i, c := range cases {
		e, err := smuggling.NewScriptedEndpoint(c.Bytes, c.Closes)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(e.Close)
		routes += fmt.Sprintf("  - { match: { path: /%d }, service: s%d }\n", i, i)
		services += fmt.Sprintf("  s%d: { endpoints: [%q] }\n", i, e.URL())
	}
	w := startWeir(t, "listeners: [{ address: \"127.0.0.1:0\" }]\n"+routes+services)
	body := filepath.Join(t.TempDir(), "body")
	for i, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			writeFile(t, body, "")
			args := []string{"-sS", "--max-time", "15", "-o", body, "-w", "%{http_code}", w.url(fmt.Sprintf("/%d", i))}
			if c.Method == "HEAD" {
				args = append(args, "-I")
			}
			status := 0
			out, err := exec.Command("curl", args...).Output()
			_, _ = fmt.Sscan(string(out), &status)
			content, readErr := os.ReadFile(body)
			if readErr != nil {
				t.Fatal(readErr)
			}
			if c.Method == "HEAD" {
				content = nil // curl writes the head there
			}
			bare := *c
			bare.Has, bare.Lacks = nil, nil
			if problems := bare.Judge(status, nil, string(content), err); len(problems) > 0 {
				t.Errorf("%s\n%s", c.Reason, strings.Join(problems, "\n"))
			}
		})
	}
}
