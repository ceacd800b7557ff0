package service

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/weirproxy/weir/balance"
	"github.com/weirproxy/weir/internal/exchange"
)

func TestSelector_FindsItsPartOfTheRequest(t *testing.T) {
	x := newExchange("GET", nil, nil)
	x.Client.Addr = netip.MustParseAddr("192.0.2.7")
	x.Request.Path, x.Request.Query = []byte("/cart"), []byte("a=1&user=7&user=8&flag")
	x.Request.Header = exchange.Header{
		{Name: []byte("x-user"), Value: []byte("ada")},
		{Name: []byte("Cookie"), Value: []byte(`a=b; xsession=no; session="abc"; empty=`)},
		{Name: []byte("cookie"), Value: []byte("later=yes")},
	}
	for _, tc := range []struct {
		selector Selector
		want     string // empty: it has none
	}{
		{Selector{Kind: SelectHeader, Name: "X-User"}, "ada"},
		{Selector{Kind: SelectHeader, Name: "X-Other"}, ""},
		{Selector{Kind: SelectCookie, Name: "session"}, "abc"},
		{Selector{Kind: SelectCookie, Name: "later"}, "yes"},
		{Selector{Kind: SelectCookie, Name: "empty"}, ""},
		{Selector{Kind: SelectCookie, Name: "sess"}, ""},
		{Selector{Kind: SelectQuery, Name: "user"}, "7"},
		{Selector{Kind: SelectQuery, Name: "flag"}, ""},
		{Selector{Kind: SelectPath, Name: ""}, "/cart"},
		{Selector{Kind: SelectHost, Name: ""}, "app"},
	} {
		key, ok := tc.selector.Key(x)
		if ok != (tc.want != "") || ok && key != balance.Key([]byte(tc.want)) {
			t.Errorf("selector %+v finds something: %v; want the key of %q", tc.selector, ok, tc.want)
		}
	}
	if _, ok := (&Selector{}).Key(x); ok {
		t.Error("no selector finds something")
	}
	client := Selector{Kind: SelectClient}
	one, ok := client.Key(x)
	x.Client.Addr = netip.MustParseAddr("192.0.2.8")
	if other, _ := client.Key(x); !ok || one == other {
		t.Error("two clients have the same key")
	}
	x.Client.Addr = netip.Addr{}
	if _, ok := client.Key(x); ok {
		t.Error("a client without address has a key")
	}
}

// FuzzSelector: whatever a client sends as cookies and query, finding a value in it
// neither fails nor makes anything up.
func FuzzSelector(f *testing.F) {
	f.Add(`a=1; b="2"`, "x=1&y", "b")
	f.Add(`;=;;==`, "&&=&", "")
	f.Fuzz(func(t *testing.T, cookies, query, name string) {
		x := newExchange("GET", nil, nil)
		x.Request.Header = exchange.Header{{Name: []byte("Cookie"), Value: []byte(cookies)}}
		x.Request.Query = []byte(query)
		for kind, text := range map[SelectorKind]string{SelectCookie: cookies, SelectQuery: query} {
			s := Selector{Kind: kind, Name: name}
			if value := string(s.value(&x.Request)); !strings.Contains(text, value) {
				t.Errorf("selector %+v finds %q in %q", s, value, text)
			}
		}
	})
}
