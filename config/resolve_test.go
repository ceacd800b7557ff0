package config

import "testing"

func TestParse_TakesPathsFromTheFolderOfTheFile(t *testing.T) {
	const text = `
listeners: [{address: ":1", tls: {certificates: [{cert: a.pem, key: /abs/a.key}], client_ca: ../ca.pem}}]
services:
  web:
    tls: {ca: own.pem}
    endpoints: ["https://a", {url: "https://b", tls: {cert: c.pem, key: c.key}}]
access_log: {path: log/access.log}
`
	c, _, err := Parse("/etc/weir/weir.yaml", []byte(text), Options{})
	if err != nil {
		t.Fatal(err)
	}
	web := c.Services["web"]
	for _, p := range []struct{ what, got, want string }{
		{"cert", c.Listeners[0].TLS.Certificates[0].Cert, "/etc/weir/a.pem"},
		{"an absolute key", c.Listeners[0].TLS.Certificates[0].Key, "/abs/a.key"},
		{"client_ca", c.Listeners[0].TLS.ClientCA, "/etc/ca.pem"},
		{"ca of the service", web.TLS.CA, "/etc/weir/own.pem"},
		{"cert of the endpoint", web.Endpoints[1].TLS.Cert, "/etc/weir/c.pem"},
		{"access_log.path", c.AccessLog.Path, "/etc/weir/log/access.log"},
	} {
		if p.got != p.want {
			t.Errorf("%s is %q, want %q", p.what, p.got, p.want)
		}
	}
}

func TestParse_LeavesStandardOutputAlone(t *testing.T) {
	c, _, err := Parse("/etc/weir/weir.yaml", []byte("access_log: {path: stdout}\n"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if c.AccessLog.Path != "stdout" {
		t.Errorf("the log's path is %q, want stdout", c.AccessLog.Path)
	}
}
