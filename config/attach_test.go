package config

import (
	"slices"
	"strings"
	"testing"
)

func tokenFor(services ...string) []AttachToken {
	return []AttachToken{{Token: "0123456789abcdef", Services: services}}
}

func TestValidate_ChecksTheDoorOfALiteralToo(t *testing.T) {
	c := &Config{
		Listeners: []Listener{{Address: ":8080", Attach: true}},
		Services:  map[string]Service{"web": {}},
		Attach: &Attach{
			Address: ":7000", TLS: &ServerTLS{},
			Tokens:       []AttachToken{{Services: []string{"web"}}, {Token: "a b"}},
			Certificates: []AttachCertificate{{Services: []string{""}}},
			Routers:      []string{""},
		},
	}
	var paths []string
	for _, p := range c.Validate() {
		paths = append(paths, p.Path)
	}
	slices.Sort(paths)
	want := []string{
		"attach.certificates", "attach.certificates[0].san", "attach.certificates[0].services[0]", "attach.routers[0]",
		"attach.tls.certificates", "attach.tokens[0].token", "attach.tokens[1].services", "attach.tokens[1].token",
		"listeners[0].attach",
	}
	if !slices.Equal(paths, want) {
		t.Errorf("problems are at\n%q, want\n%q", paths, want)
	}
}

func TestValidate_NeedsNothingOnThisMachineInClearText(t *testing.T) {
	for _, address := range []string{"", "127.0.0.1:7000", "127.9.9.9:1", "[::1]:7000", "localhost:7000", "[::ffff:127.0.0.1]:7000", "unix:/run/a.sock", "off"} {
		c := &Config{Attach: &Attach{Address: address}, Services: map[string]Service{"web": {}}}
		if problems := c.Validate(); len(problems) > 0 {
			t.Errorf("at %q: %v", address, problems)
		}
	}
}

func TestValidate_TakesEveryOtherAddressForReachable(t *testing.T) {
	for _, address := range []string{":7000", "0.0.0.0:7000", "[::]:7000", "10.0.0.1:7000", "weir.example:7000", "[::ffff:10.0.0.1]:7000"} {
		c := &Config{Attach: &Attach{Address: address}, Services: map[string]Service{"web": {}}}
		var paths []string
		for _, p := range c.Validate() {
			paths = append(paths, p.Path)
		}
		if want := []string{"attach.tls", "attach.tokens"}; !slices.Equal(paths, want) {
			t.Errorf("at %s problems are at %q, want %q", address, paths, want)
		}
	}
}

func TestWarnings_LeaveAServiceAloneThatWorkersMayServe(t *testing.T) {
	tls := &ServerTLS{Certificates: []Certificate{{Cert: "a", Key: "b"}}, ClientCA: "c"}
	for what, a := range map[string]*Attach{
		"from this machine":           {},
		"with a token":                {Address: ":7000", TLS: tls, Tokens: tokenFor("other", "web")},
		"with a token for a version":  {Address: ":7000", TLS: tls, Tokens: tokenFor("web@v1")},
		"with a token for everything": {Address: ":7000", TLS: tls, Tokens: tokenFor("*")},
		"with a certificate":          {Address: ":7000", TLS: tls, Certificates: []AttachCertificate{{SAN: "w", Services: []string{"web@*"}}}},
		"by a unix socket":            {Address: "unix:/a"},
	} {
		c := &Config{Attach: a, Services: map[string]Service{"web": {Strategy: "hedge"}}}
		if w := append(c.Validate(), c.Warnings()...); len(w) > 0 {
			t.Errorf("served %s: %v", what, w)
		}
	}
}

func TestWarnings_TellOfAServiceThatNoWorkerMayServe(t *testing.T) {
	tls := &ServerTLS{Certificates: []Certificate{{Cert: "a", Key: "b"}}}
	for what, a := range map[string]*Attach{
		"elsewhere":         {Address: ":7000", TLS: tls, Tokens: tokenFor("webs", "we@*", "eb")},
		"from this machine": {Tokens: tokenFor("shop")},
	} {
		c := &Config{Attach: a, Services: map[string]Service{"web": {}}}
		if w := c.Warnings(); len(w) != 1 || w[0].Path != "services.web" || !strings.Contains(w[0].Message, "no token or certificate") {
			t.Errorf("%s: got %v, want a word about who may serve it", what, w)
		}
	}
}

func TestWarnings_TellOfADoorThatHasBecomeUseless(t *testing.T) {
	tls := &ServerTLS{Certificates: []Certificate{{Cert: "a", Key: "b"}}, ClientCA: "c"}
	c := &Config{
		Listeners: []Listener{{Address: ":8443", TLS: tls, Attach: true}},
		Attach:    &Attach{Certificates: []AttachCertificate{{SAN: "w", Services: []string{"web"}}}},
		Services:  map[string]Service{"web": {}},
	}
	if problems := c.Validate(); len(problems) > 0 {
		t.Fatalf("it is refused: %v", problems)
	}
	if w := c.Warnings(); len(w) != 1 || w[0].Path != "attach.address" {
		t.Errorf("got %v, want a word about the address where nobody can show a certificate", w)
	}
	c.Attach.Address = "off"
	if w := c.Warnings(); len(w) > 0 {
		t.Errorf("without it there is still a warning: %v", w)
	}
}

func TestParse_TakesThePathsOfTheDoorFromTheFolderOfTheFile(t *testing.T) {
	const text = `
attach:
  tls: { certificates: [{ cert: a.pem, key: /abs/a.key }], client_ca: ca.pem }
  tokens: [{ token: 0123456789abcdef, services: ["*"] }]
`
	c, _, err := Parse("/etc/weir/weir.yaml", []byte(text), Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := *c.Attach.TLS
	if got.Certificates[0] != (Certificate{"/etc/weir/a.pem", "/abs/a.key"}) || got.ClientCA != "/etc/weir/ca.pem" {
		t.Errorf("the files are %+v", got)
	}
}
