package config

import (
	"reflect"
	"testing"
)

func TestZero_IsValidAndWise(t *testing.T) {
	if problems := Zero().Validate(); len(problems) > 0 {
		t.Errorf("it is refused: %v", problems)
	}
	if warnings := Zero().Warnings(); len(warnings) > 0 {
		t.Errorf("it is warned of: %v", warnings)
	}
}

func TestZero_SendsWhatNamesAVersionToItsWorkersAndTheRestToTheDefault(t *testing.T) {
	c := Zero().WithDefaults()
	if c.Listeners[0].Address != ":8080" || c.Attach.Address != "127.0.0.1:7000" || c.Attach.TLS != nil {
		t.Errorf("clients come by %s, workers by %+v", c.Listeners[0].Address, c.Attach)
	}
	if len(c.Services) != 1 || len(c.Services["default"].Endpoints) > 0 {
		t.Errorf("the services are %+v, want one without endpoints", c.Services)
	}
	want := []Route{
		{Match: Match{Path: "/*"}, Service: "default", OnError: "skip", Forwarded: "off"},
		{Match: Match{Path: "/{service}/{version}/*"}, Service: "{service}@{version}", StripPrefix: "/{service}/{version}", Fallthrough: true, OnError: "skip", Forwarded: "off"},
	}
	if !reflect.DeepEqual(c.Routes, want) {
		t.Errorf("the routes are %+v, want %+v", c.Routes, want)
	}
}

func TestZero_GivesEachCallerItsOwn(t *testing.T) {
	c := Zero()
	c.Services["default"], c.Routes[0].Service, c.Attach.Address = Service{Balance: "hash"}, "other", "off"
	if again := Zero(); again.Services["default"].Balance != "" || again.Routes[0].Service != "default" || again.Attach.Address == "off" {
		t.Errorf("what was done to one is seen in another: %+v", again)
	}
}

func TestWithDefaults_SendsAllToWorkersWhereNothingElseIsServed(t *testing.T) {
	want, c := Zero().WithDefaults(), &Config{Attach: &Attach{}}
	if d := c.WithDefaults(); !reflect.DeepEqual(d, want) {
		t.Errorf("attach alone is %+v, want %+v", d, want)
	}
	if c.Services != nil || c.Attach.Address != "" {
		t.Errorf("the original has changed: %+v", c)
	}
	for what, c := range map[string]*Config{
		"a service": {Attach: &Attach{}, Services: map[string]Service{"web": {}}},
		"a route":   {Attach: &Attach{}, Routes: []Route{{Match: Match{Path: "/{s}/*"}, Service: "{s}"}}},
		"no attach": {},
	} {
		if d := c.WithDefaults(); len(d.Services) != len(c.Services) || len(d.Routes) > 1 {
			t.Errorf("with %s it has services %v and routes %v", what, d.Services, d.Routes)
		}
	}
}
