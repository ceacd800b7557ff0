package config

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func TestConfig_IsShownWithoutItsSecrets(t *testing.T) {
	const text = `
admin: { address: "0.0.0.0:9900", token: admin-sesame }
attach: { tokens: [{ token: attach-sesame-0123456789, services: [web] }] }
services:
  web:
    endpoints: [{ url: http://a:1, headers: { Authorization: Bearer sesame, X-Api-Key: sesame, X-Upstream: plain } }]
    sticky: { cookie: c, secret: cookie-sesame }
    timeouts: { tunnel: 0s }
    provider:
      etcd: { endpoints: "http://e:1", user: u, password: etcd-sesame }
      consul: { token: consul-sesame }
      zookeeper: { servers: z, auth: "u:zk-sesame" }
`
	c, _, err := Parse("weir.yaml", []byte(text), testOptions)
	if err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(c.Redacted())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(out), "sesame") {
		t.Errorf("a secret is shown: %s", out)
	}
	for _, want := range []string{`"X-Upstream":"plain"`, `"token":"xxxxx"`, `"tunnel":"0s"`, `"user":"u"`, `"connect":"1s"`, `"budget":"20%"`, `"error`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%s is not shown: %s", want, out)
		}
	}
}

// TestConfig_ShowsWhatReadsBack: what is shown of a configuration without secrets is
// a file that says the same.
func TestConfig_ShowsWhatReadsBack(t *testing.T) {
	for _, file := range goldenFiles(t, "good") {
		c, _, err := parseGolden(t, file)
		if err != nil {
			t.Fatal(err)
		}
		out, err := json.Marshal(c.Redacted())
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(out), hidden) {
			continue
		}
		again, _, err := Parse("shown.yaml", out, Options{ReadFile: os.ReadFile})
		if err != nil {
			t.Errorf("what is shown of %s does not read back: %v\n%s", file, err, out)
			continue
		}
		second, _ := json.Marshal(again.Redacted())
		if string(second) != string(out) {
			t.Errorf("what is shown of %s reads back as\n%s\nwant\n%s", file, second, out)
		}
	}
}
