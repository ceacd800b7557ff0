//go:build real

package real

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// What docs/coming-from says of other proxies' configuration is what those proxies
// take.
func TestComingFrom_QuotesConfigurationsThatWork(t *testing.T) {
	site := newAuthority(t).issue(t, "site.example")
	for name, c := range map[string]struct {
		file   string // what it is called
		around string // what stands around it
		check  []string
	}{
		"nginx": {"nginx.conf", "pid nginx.pid; error_log stderr; events {} http { %s }", []string{"nginx", "-t", "-q", "-p", ".", "-c", "nginx.conf"}},
		"haproxy": {"haproxy.cfg", "defaults\n  mode http\n  timeout connect 5s\n  timeout client 1m\n  timeout server 1m\n%s", []string{
			"haproxy", "-c", "-q", "-f", "haproxy.cfg",
		}},
		"caddy": {"Caddyfile", "%s", []string{caddyBinary(t), "adapt", "--config", "Caddyfile", "--adapter", "caddyfile"}},
	} {
		text, err := os.ReadFile("../../docs/coming-from/" + name + ".md")
		if err != nil {
			t.Fatal(err)
		}
		blocks := regexp.MustCompile("(?ms)^```"+name+"\n(.*?)^```$").FindAllSubmatch(text, -1)
		if len(blocks) < 5 {
			t.Errorf("%s.md has only %d configurations", name, len(blocks))
		}
		for i, b := range blocks {
			t.Run(fmt.Sprint(name, " ", i+1), func(t *testing.T) {
				dir := t.TempDir()
				writeFile(t, filepath.Join(dir, c.file), fmt.Sprintf(c.around, b[1]))
				for as, from := range map[string]string{"site.pem": site.cert, "site.key": site.key, "clients.pem": site.cert, "internal.pem": site.cert} {
					copyFile(t, from, filepath.Join(dir, as))
				}
				if c.file == "haproxy.cfg" { // which wants both in one file
					copyFile(t, site.bundle(t), filepath.Join(dir, "site.pem"))
				}
				cmd := exec.Command(c.check[0], c.check[1:]...)
				cmd.Dir = dir
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%s does not take it: %v\n%s\n%s", name, err, out, b[1])
				}
			})
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, to, string(text))
}

// caddyBinary is where scripts/install-peers.sh puts Caddy.
func caddyBinary(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../../.cache/bin/caddy")
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		t.Fatal("caddy is missing: run scripts/install-peers.sh")
	}
	return path
}
