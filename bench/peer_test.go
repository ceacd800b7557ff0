package main

import (
	"strings"
	"testing"
)

func TestSettings_FillInEveryConfiguration(t *testing.T) {
	s := settings{
		HTTP: 18001, HTTPS: 18002, Admin: 18003, Endpoints: []int{19001, 19002, 19003}, Pool: 256, PoolTotal: 768,
		Connections: 8000, Files: 20000, Dir: "/d", Log: "/d/log", Sink: 18004,
		Certificate: "/d/site.pem", Key: "/d/site.key", Bundle: "/d/bundle.pem",
	}
	for _, p := range allPeers() {
		s.Variant = p.variant
		if p.attached != "" {
			continue // below
		}
		text, err := s.render(p.config)
		if err != nil {
			t.Errorf("%s: %v", p.name, err)
			continue
		}
		for _, part := range []string{"18001", "18002", "127.0.0.1:19001", "127.0.0.1:19002", "127.0.0.1:19003"} {
			if !strings.Contains(string(text), part) {
				t.Errorf("the configuration of %s does not mention %s:\n%s", p.name, part, text)
			}
		}
	}
}

func TestSelectPeers_KeepsTheOrderOfRounds(t *testing.T) {
	peers, err := selectPeers("haproxy,weir")
	if err != nil || len(peers) != 2 || peers[0].name != "weir" || peers[1].name != "haproxy" {
		t.Errorf("selected %v, %v", peers, err)
	}
	if _, err := selectPeers("weir,apache"); err == nil {
		t.Error("a peer that does not exist was accepted")
	}
}

func TestSelectKinds_KnowsIdleToo(t *testing.T) {
	kinds, err := selectKinds("tls,idle,small", 64)
	if err != nil || len(kinds) != 2 || kinds[0].name != "small" || kinds[1].name != "tls" {
		t.Errorf("selected %v, %v", kinds, err)
	}
	if _, err := selectKinds("smal", 64); err == nil {
		t.Error("a kind that does not exist was accepted")
	}
}

func TestSettings_LetAWorkerAttachInsteadOfEndpoints(t *testing.T) {
	s := settings{HTTP: 18001, HTTPS: 18002, Admin: 18003, Attach: 18005, Streams: 256}
	for _, p := range allPeers() {
		if p.attached == "" {
			continue
		}
		text, err := s.render(p.config)
		if err != nil || !strings.Contains(string(text), "127.0.0.1:18005") {
			t.Errorf("the configuration of %s lets no worker attach (%v):\n%s", p.name, err, text)
		}
	}
}

func TestSession_MeasuresTheVariantsOfThePeersAskedFor(t *testing.T) {
	for _, test := range []struct{ kind, peers, want string }{
		{"attached", "weir,nginx,haproxy,caddy", "weir-attached weir-one haproxy3-attached haproxy3-one"},
		{"attached", "weir,nginx", "weir-attached weir-one"},
		{"attached", "haproxy3-attached", "haproxy3-attached"},
		{"attached", "nginx", ""},
		{"small", "weir,nginx", "weir nginx"},
	} {
		o, err := parseOptions([]string{"-kinds", test.kind, "-peers", test.peers})
		if err != nil {
			t.Fatal(err)
		}
		s := &session{options: o}
		var names []string
		for _, p := range s.contenders(o.kinds[0]) {
			names = append(names, p.name)
		}
		if got := strings.Join(names, " "); got != test.want {
			t.Errorf("%s of %s is measured with %q, want %q", test.kind, test.peers, got, test.want)
		}
	}
}

func TestSession_MeasuresVariantsOfAPeerThatIsMissing(t *testing.T) {
	o, err := parseOptions([]string{"-kinds", "small,attached", "-peers", "weir,haproxy"})
	if err != nil {
		t.Fatal(err)
	}
	s := &session{options: o, missing: map[string]bool{"haproxy": true, "weir-one": true}}
	var names []string
	for _, p := range s.everybody() {
		names = append(names, p.name)
	}
	if got, want := strings.Join(names, " "), "weir weir-attached haproxy3-attached haproxy3-one"; got != want {
		t.Errorf("measured are %q, want %q", got, want)
	}
}
