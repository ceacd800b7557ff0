package weir

import (
	"errors"

	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/internal/attach"
	"github.com/weirproxy/weir/internal/http1"
)

// This file says which service a worker belongs to, and how it is called.

// errTooManyServices: there are so many services that no configuration names.
var errTooManyServices = errors.New("there are too many services already that the configuration does not name")

// enroll has a worker serve what it says it serves. A service that nobody knows yet
// is made.
func (p *Proxy) enroll(w *worker) error {
	for {
		s, err := p.serviceFor(w.key.service, w.key.version)
		if err != nil {
			return err
		}
		w.service = s
		if s.join(w) {
			return nil
		} // else it was forgotten in between
	}
}

// serviceFor returns the service of that name and version, and makes it if there is
// none.
func (p *Proxy) serviceFor(name, version string) (*liveService, error) {
	s, forgotten := p.services.obtain(name, version, func() *liveService {
		return newLiveService(p, serviceKey{name, version}, p.plan.Load().settingsOf(name), false)
	})
	if forgotten != nil {
		forgotten.forget()
	}
	if s == nil {
		return nil, errTooManyServices
	}
	return s, nil
}

// settingsOf returns how a service is to be called: as the configuration says, or
// as it says of the service default, or as all defaults are.
func (pl *plan) settingsOf(name string) config.Service {
	s, listed := pl.cfg.Services[name]
	if !listed {
		return pl.settings
	}
	return s
}

func unlistedSettings(c *Config) config.Service {
	if s, ok := c.Services[attach.DefaultService]; ok {
		return s
	}
	defaults := (&config.Config{Services: map[string]config.Service{attach.DefaultService: {}}}).WithDefaults()
	return defaults.Services[attach.DefaultService]
}

// attachedHead is what is added to the head of every request to a worker.
func attachedHead(s config.Service, name string) http1.RequestHead {
	return http1.RequestHead{FallbackHost: name, Host: sentHost(s, name)}
}
