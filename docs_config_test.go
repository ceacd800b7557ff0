package weir_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
)

// TestDocs_HaveConfigurationsThatWork puts every whole configuration in the documents
// to work, as far as that goes without opening a listener.
func TestDocs_HaveConfigurationsThatWork(t *testing.T) {
	counted := map[string]int{}
	for _, file := range documents(t) {
		folder := filepath.ToSlash(filepath.Dir(file))
		for _, b := range configurations(t, file) {
			switch folder {
			case "docs/coming-from": // where all of them are whole
			case "docs/how-to", "docs", "docs/reference", ".":
				if !b.whole() {
					continue
				}
			default:
				continue
			}
			counted[folder]++
			t.Run(fmt.Sprintf("%s:%d", file, b.line), func(t *testing.T) { b.work(t) })
		}
	}
	if counted["docs/coming-from"] < 30 || counted["docs/how-to"] < 20 {
		t.Errorf("there are only so many configurations in the documents: %v", counted)
	}
}

// A block is a configuration in a document, fenced as yaml.
type block struct {
	file string
	line int // of its first line
	text string
}

var fence = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")

func configurations(t *testing.T, file string) (list []block) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range fence.FindAllSubmatchIndex(text, -1) {
		list = append(list, block{file, 1 + strings.Count(string(text[:m[2]]), "\n"), string(text[m[2]:m[3]])})
	}
	return list
}

var (
	topLevel    = regexp.MustCompile(`(?m)^(\w+):`)
	secondLevel = regexp.MustCompile(`(?m)^  [\w.-]+:`)
)

// whole tells whether a block is more than a part of a file: it begins with a key of
// the top level, and has the services that its routes lead to, or one alone.
func (b block) whole() bool {
	var keys []string
	for _, m := range topLevel.FindAllStringSubmatch(b.text, -1) {
		keys = append(keys, m[1])
	}
	if len(keys) == 0 || !strings.Contains(" listeners attach admin metrics trusted_proxies paths routes services limits access_log state errors shutdown ", " "+keys[0]+" ") {
		return false
	}
	routes, services := slices.Contains(keys, "routes"), strings.Split(b.text, "services:\n")
	if !routes && len(services) == 2 {
		return len(secondLevel.FindAllString(services[1], -1)) == 1
	}
	return !routes || slices.Contains(keys, "services")
}

// work has the block parsed, in a folder where the files are that it names, and a
// proxy made of it.
func (b block) work(t *testing.T) {
	dir := t.TempDir()
	cfg, warnings, err := config.Parse(filepath.Join(dir, "weir.yaml"), []byte(b.text), config.Options{
		Env:      func(string) (string, bool) { return "a-long-and-random-secret", true },
		ReadFile: func(string) ([]byte, error) { return []byte("a-long-and-random-secret"), nil },
	})
	if err != nil {
		t.Fatalf("it is not a whole configuration:\n%v", err)
	}
	for _, w := range warnings {
		t.Logf("warning: %v", w)
	}
	for _, name := range regexp.MustCompile(`[\w.-]+\.(pem|key)\b`).FindAllString(b.text, -1) {
		writePair(t, filepath.Join(dir, name))
	}
	if cfg.AccessLog != nil {
		cfg.AccessLog.Path = filepath.Join(dir, "access.log")
	}
	p, err := weir.New(*cfg)
	if err != nil {
		t.Fatalf("no proxy can be made of it:\n%v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := p.Shutdown(ctx); err != nil {
		t.Errorf("the proxy does not end: %v", err)
	}
}

// writePair writes a certificate or a key, as the name says; all are of one pair.
func writePair(t *testing.T, path string) {
	t.Helper()
	pair := documentPair(t)
	text := pair.certificate
	if strings.HasSuffix(path, ".key") {
		text = pair.key
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

type pemPair struct{ certificate, key []byte }

var onePair pemPair

func documentPair(t *testing.T) pemPair {
	t.Helper()
	if onePair.key != nil {
		return onePair
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "site"}, DNSNames: []string{"site.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	onePair = pemPair{
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}),
	}
	return onePair
}
