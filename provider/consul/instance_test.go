package consul

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/consul/api"

	"github.com/weirproxy/weir/provider/internal/registry"
)

// at is an instance on a node.
func at(node, id string, s api.AgentService) *api.ServiceEntry {
	s.ID = id
	if s.Port == 0 {
		s.Port = 80
	}
	return &api.ServiceEntry{Node: &api.Node{Node: node, Address: "10.0.0.1"}, Service: &s}
}

func web(list ...*api.ServiceEntry) map[string]registry.Entry {
	return Options{Service: "web", Scheme: "http"}.entries(list)
}

func TestEntries_NameInstancesOnce(t *testing.T) {
	entries := web(at("n1", "web", api.AgentService{}), at("n2", "web", api.AgentService{}), at("n1", "a", api.AgentService{}),
		at("n3", "b", api.AgentService{}), at("n2", "b", api.AgentService{}), nil, &api.ServiceEntry{})
	var got []string
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		got = append(got, key+":"+entries[key].Endpoint.Name)
	}
	want := []string{"n1/a:a", "n1/web:web@n1", "n2/b:b", "n2/web:web@n2", "n3/b:b@n3"}
	if !slices.Equal(got, want) {
		t.Errorf("instances are named %q, want %q", got, want)
	}
}

func TestEntries_ReadAddresses(t *testing.T) {
	for _, tc := range []struct {
		s    api.AgentService
		want string
	}{
		{api.AgentService{}, "http://10.0.0.1"},
		{api.AgentService{Address: "10.0.0.2", Port: 8000}, "http://10.0.0.2:8000"},
		{api.AgentService{Address: "::1", Port: 8000}, "http://[::1]:8000"},
		{api.AgentService{Address: "a.example", Port: 443}, "http://a.example:443"},
		{api.AgentService{Address: "a/b"}, "is not the address of a server"},
		{api.AgentService{Address: "a?b"}, "is not the"},
		{api.AgentService{Address: "user@a"}, "names a user"},
		{api.AgentService{Port: -1}, "is not the URL"},
		{api.AgentService{Port: 70000}, "port 70000 is not from 1 to 65535"},
		{api.AgentService{Meta: map[string]string{"version": "v 1"}}, "version \"v 1\" has other characters"},
		{api.AgentService{Tags: []string{"zone=eu/1"}}, "zone \"eu/1\" has other characters"},
	} {
		e := web(at("n1", "a", tc.s))["n1/a"]
		got := e.Endpoint.Address.String()
		if e.Wrong != nil {
			got = e.Wrong.Error()
		}
		if !strings.Contains(got, tc.want) {
			t.Errorf("%+v is read as %s, want %s", tc.s, got, tc.want)
		}
	}
	i := at("n1", "a", api.AgentService{})
	i.Service.Port = 0
	if e := web(i)["n1/a"]; e.Wrong == nil {
		t.Error("an instance without a port is read")
	}
	i = at("n1", "a", api.AgentService{})
	i.Node = nil
	if e := web(i)["/a"]; e.Wrong == nil {
		t.Error("an instance without any address is read")
	}
}

func TestEntries_ReadAttributes(t *testing.T) {
	many := map[string]string{"version": "v1", "long": strings.Repeat("x", registry.MaxLabelBytes), "odd": "\x00"}
	for i := range 40 {
		many[fmt.Sprintf("k%02d", i)] = "v"
	}
	e := web(at("n1", "a", api.AgentService{
		Meta: many, Tags: []string{"version=v2", "zone=eu-1", "zone=eu-2"}, Weights: api.AgentWeights{Passing: 5000, Warning: 1},
	}))["n1/a"]
	if e.Wrong != nil {
		t.Fatal(e.Wrong)
	}
	got := e.Endpoint
	if got.Version != "v1" || got.Zone != "eu-1" || got.Weight != registry.MaxWeight || len(got.Labels) != registry.MaxLabels || got.Labels["k31"] != "v" {
		t.Errorf("read %+v, want version v1 of the metadata, zone eu-1 of the first tag, the greatest weight, and as many labels as fit", got)
	}
	if got := web(at("n1", "a", api.AgentService{Weights: api.AgentWeights{Passing: 1}}))["n1/a"].Endpoint; got.Weight != 0 || got.Labels != nil {
		t.Errorf("an instance of which nothing is said is read as %+v", got)
	}
}

// FuzzEntries has no answer lead to an endpoint that could not be shown or reached, or to
// a panic.
func FuzzEntries(f *testing.F) {
	f.Add([]byte(`[{"Node":{"Node":"n1","Address":"10.0.0.1"},"Service":{"ID":"a","Service":"web","Address":"","Port":80,"Meta":{"zone":"z","k":"v"},"Tags":["version=v1"],"Weights":{"Passing":2}}}]`))
	f.Add([]byte(`[null, {}, {"Service":{"ID":"web","Port":1}}, {"Node":{"Node":"n"},"Service":{"ID":"web","Address":"::1","Port":1}}]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var list []*api.ServiceEntry
		if json.Unmarshal(text, &list) != nil {
			return
		}
		for key, e := range web(list...) {
			if e.Wrong != nil {
				if said := e.Wrong.Error(); len(said) > 1000 || strings.Contains(said, "\n") {
					t.Errorf("%s: %q is too long an error, or more than a line", key, said)
				}
				continue
			}
			got := e.Endpoint
			if got.Name == "" || got.Address.Network != "tcp" || got.Address.Host == "" || got.Address.Port == "" || got.Address.BasePath != "" ||
				got.Weight < 0 || got.Weight > registry.MaxWeight || len(got.Labels) > registry.MaxLabels {
				t.Errorf("%s is read as %+v", key, got)
			}
		}
	})
}
