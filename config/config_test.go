package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestWithDefaults_LeavesTheOriginalAlone(t *testing.T) {
	c := &Config{
		Listeners: []Listener{{Address: ":1"}},
		Services:  map[string]Service{"web": {Endpoints: []Endpoint{{URL: "http://a:1"}}}},
		AccessLog: &AccessLog{},
	}
	d := c.WithDefaults()
	if c.Listeners[0].Upgrades != nil || c.Services["web"].Endpoints[0].Weight != 0 || c.AccessLog.Path != "" {
		t.Errorf("the original has changed: %+v", c)
	}
	if d.Services["web"].Endpoints[0].Weight != 1 || d.AccessLog.Format != "json" || d.Routes[0].Match.Path != "/*" {
		t.Errorf("defaults are missing: %+v", d)
	}
	if !reflect.DeepEqual(d, d.WithDefaults()) {
		t.Error("doing it twice changes something")
	}
}

func TestWithDefaults_KeepsOffApartFromLeftOut(t *testing.T) {
	c := &Config{Services: map[string]Service{"web": {
		Pool:     Pool{MaxIdle: Off, MaxAge: Off},
		Timeouts: Timeouts{Tunnel: Off, Request: Off},
	}}}
	web := c.WithDefaults().Services["web"]
	if web.Pool.MaxIdle != Off || web.Timeouts.Tunnel != Off {
		t.Errorf("Off became a default: %+v", web)
	}
	if web.Pool.MaxAge != 0 || web.Timeouts.Request != 0 {
		t.Errorf("Off is not 0 where 0 is the default: %+v", web)
	}
	if problems := c.Validate(); len(problems) > 0 {
		t.Errorf("Off was refused: %v", problems)
	}
}

func TestWithDefaults_KeepsOffInAllThatSaysHowRequestsAreTried(t *testing.T) {
	c := &Config{Services: map[string]Service{"web": {
		Concurrency:  Off,
		Queue:        Queue{Size: Off},
		Retry:        Retry{PerTry: Off, Budget: Off, BudgetFloor: Off, Buffer: Off},
		Hedge:        Hedge{Budget: Off},
		Backpressure: Backpressure{Slow: Off, MaxEjected: Off, Panic: Off},
		SlowStart:    Off,
	}}}
	if problems := c.Validate(); len(problems) > 0 {
		t.Errorf("Off was refused: %v", problems)
	}
	web := c.WithDefaults().Services["web"]
	if web.Queue.Size != Off || web.Retry.Budget != Off || web.Retry.BudgetFloor != Off || web.Retry.Buffer != Off ||
		web.Hedge.Budget != Off || web.Backpressure.MaxEjected != Off {
		t.Errorf("Off became a default: %+v", web)
	}
	if web.Concurrency != 0 || web.Retry.PerTry != 0 || web.Backpressure.Slow != 0 || web.Backpressure.Panic != 0 || web.SlowStart != 0 {
		t.Errorf("Off is not 0 where 0 is the default: %+v", web)
	}
}

func TestWithDefaults_PlacesByTheClientWhereNothingElseIsSaid(t *testing.T) {
	c := &Config{Services: map[string]Service{
		"hash":   {Balance: "hash"},
		"maglev": {Balance: "maglev"},
		"path":   {Balance: "hash", HashOn: "request.path"},
		"turns":  {},
	}}
	d := c.WithDefaults()
	for name, want := range map[string]string{"hash": "client.address", "maglev": "client.address", "path": "request.path", "turns": ""} {
		if got := d.Services[name].HashOn; got != want {
			t.Errorf("%s places by %q, want %q", name, got, want)
		}
	}
	if c.Services["hash"].HashOn != "" {
		t.Error("the original has changed")
	}
}

func TestWithDefaults_KeepsEmptyListsApartFromLeftOut(t *testing.T) {
	c := &Config{Routes: []Route{{Service: "web"}}, Services: map[string]Service{"web": {
		Usable:       []string{},
		Retry:        Retry{On: []string{}},
		Backpressure: Backpressure{Failures: []string{}, Steps: []Duration{}},
	}}}
	web := c.WithDefaults().Services["web"]
	if len(web.Usable)+len(web.Retry.On)+len(web.Backpressure.Failures)+len(web.Backpressure.Steps) > 0 {
		t.Errorf("an empty list became its default: %+v", web)
	}
	var paths []string
	for _, p := range c.Validate() {
		paths = append(paths, p.Path)
	}
	if want := []string{"services.web.usable", "services.web.backpressure.steps"}; !slices.Equal(paths, want) {
		t.Errorf("empty lists are refused at %q, want %q", paths, want)
	}
}

func TestWithDefaults_KeepsAnEmptyListOfUpgrades(t *testing.T) {
	c := &Config{Listeners: []Listener{{Address: ":1", Upgrades: []string{}}}}
	if got := c.WithDefaults().Listeners[0].Upgrades; got == nil || len(got) != 0 {
		t.Errorf("got %q, want an empty list", got)
	}
}

func TestValidate_TellsPathsWithoutAFile(t *testing.T) {
	c := &Config{
		Listeners: []Listener{{}},
		Services: map[string]Service{"a.b": {
			Endpoints: []Endpoint{{URL: "localhost:80", Weight: 5000}},
			Timeouts:  Timeouts{Read: -5},
			Balance:   "luck",
		}},
	}
	want := []string{
		`listeners[0].address`,
		`services["a.b"].endpoints[0].url`,
		`services["a.b"].endpoints[0].weight`,
		`services["a.b"].timeouts.read`,
		`services["a.b"].balance`,
	}
	problems := c.Validate()
	for _, path := range want {
		if !slices.ContainsFunc(problems, func(p Problem) bool { return p.Path == path }) {
			t.Errorf("nothing is said about %s in\n%v", path, problems)
		}
	}
	if len(problems) != len(want) || strings.Contains(problems.Error(), "^") {
		t.Errorf("got\n%v", problems)
	}
}

func TestWarnings_AreGivenForALiteralToo(t *testing.T) {
	c := &Config{Services: map[string]Service{"web": {}}}
	if w := c.Warnings(); len(w) != 1 || w[0].Path != "services.web" {
		t.Errorf("got %v, want a word about the missing endpoints", w)
	}
}

func TestWarnings_TakeForStatedWhatIsNotTheDefault(t *testing.T) {
	endpoints := []Endpoint{{URL: "http://a:1"}, {URL: "http://b:1"}}
	c := &Config{Services: map[string]Service{"web": {
		Endpoints: endpoints, Strategy: "fanout", Retry: Retry{Attempts: 4}, Hedge: Hedge{Max: 2}, Queue: Queue{Timeout: Duration(5e9)},
		Timeouts: Timeouts{Request: Duration(1e9)},
	}}}
	if w := c.Warnings(); len(w) != 1 || w[0].Path != "services.web.retry.attempts" {
		t.Errorf("got %v, want a word about attempts alone", w)
	}
}

func TestProblems_AreNoErrorWhenThereAreNone(t *testing.T) {
	if err := (&Config{}).Validate().Err(); err != nil {
		t.Errorf("the zero Config is refused: %v", err)
	}
}
