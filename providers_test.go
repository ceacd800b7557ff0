package weir_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/endpoint"
	"github.com/weirproxy/weir/provider"
)

// A told source tells what a test says.
type told struct{ updates chan provider.Update }

func newTold() *told { return &told{make(chan provider.Update)} }

// Watch implements provider.Provider.
func (s *told) Watch(ctx context.Context, update func(provider.Update)) error {
	for {
		select {
		case u := <-s.updates:
			update(u)
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *told) tell(t *testing.T, endpoints ...endpoint.Endpoint) {
	t.Helper()
	select {
	case s.updates <- provider.Update{Endpoints: endpoints}:
	case <-time.After(20 * time.Second):
		t.Fatal("nobody listens to the source")
	}
}

func at(t *testing.T, url string) endpoint.Endpoint {
	t.Helper()
	a, err := endpoint.ParseAddress(url)
	if err != nil {
		t.Fatal(err)
	}
	return endpoint.Endpoint{Address: a, Weight: 1}
}

func startProvided(t *testing.T, c weir.Config, options ...weir.Option) router {
	t.Helper()
	c.Listeners = []config.Listener{{Address: "127.0.0.1:0"}}
	c.Admin = config.Admin{Address: "127.0.0.1:0"}
	p, err := weir.New(c, options...)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Listen(); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- p.Serve() }()
	t.Cleanup(func() {
		if err := p.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		<-served
	})
	return router{p, "http://" + p.Addresses()[0], ""}
}

// answers returns who answers, of so many requests.
func answers(t *testing.T, url string, n int) (names []string) {
	t.Helper()
	for range n {
		if _, text := get(t, url); !slices.Contains(names, text) {
			names = append(names, text)
		}
	}
	slices.Sort(names)
	return names
}

func TestProvider_TellsWhoServes(t *testing.T) {
	a, b, c := app(t, "a"), app(t, "b"), app(t, "c")
	source, other := newTold(), newTold()
	r := startProvided(t, one(a.URL), weir.WithProvider("web", source), weir.WithProvider("web", other))
	source.tell(t, at(t, b.URL))
	other.tell(t, at(t, c.URL), at(t, b.URL)) // b is known already
	source.tell(t, at(t, b.URL))              // now both have been heeded
	other.tell(t, at(t, c.URL), at(t, b.URL))
	if got := answers(t, r.url+"/", 6); !slices.Equal(got, []string{"a /", "b /", "c /"}) {
		t.Errorf("%q answer, want a, b and c", got)
	}
	source.tell(t)
	source.tell(t)
	if got := answers(t, r.url+"/", 6); !slices.Equal(got, []string{"a /", "b /", "c /"}) {
		t.Errorf("when one of two sources knows nothing any more, %q answer", got)
	}
	other.tell(t)
	other.tell(t)
	if got := answers(t, r.url+"/", 6); !slices.Equal(got, []string{"a /"}) {
		t.Errorf("when both know nothing, %q answer", got)
	}
}

func TestProvider_KeepsWhatItToldWhenItCannotBeAsked(t *testing.T) {
	a := app(t, "a")
	source := newTold()
	r := startProvided(t, one(), weir.WithProvider("web", source))
	source.tell(t, at(t, a.URL))
	source.updates <- provider.Update{Err: errors.New("the registry is away")}
	source.updates <- provider.Update{Err: errors.New("it still is")}
	if got := answers(t, r.url+"/", 3); !slices.Equal(got, []string{"a /"}) {
		t.Errorf("without its registry %q answers, want a", got)
	}
	r.mustApply(t, one())
	if got := answers(t, r.url+"/", 3); !slices.Equal(got, []string{"a /"}) {
		t.Errorf("after another configuration %q answers, want a", got)
	}
}

func TestProvider_TellsOfVersions(t *testing.T) {
	one, two := app(t, "one"), app(t, "two")
	source := newTold()
	c := weir.Config{
		Services: map[string]config.Service{"shop": {}},
		Routes: []config.Route{{
			Match: config.Match{Path: "/{service}/{version}/*"}, Service: "{service}@{version}", StripPrefix: "/{service}/{version}",
		}},
	}
	r := startProvided(t, c, weir.WithProvider("shop", source))
	v1, v2 := at(t, one.URL), at(t, two.URL)
	v1.Version, v2.Version = "v1", "v2"
	source.tell(t, v1, v2)
	source.tell(t, v1, v2)
	if got := answers(t, r.url+"/shop/v1/x", 2); !slices.Equal(got, []string{"one /x"}) {
		t.Errorf("v1 is answered by %q", got)
	}
	if got := answers(t, r.url+"/shop/v2/x", 2); !slices.Equal(got, []string{"two /x"}) {
		t.Errorf("v2 is answered by %q", got)
	}
}
