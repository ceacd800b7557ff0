package weir

import (
	"errors"

	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/internal/router"
	"github.com/weirproxy/weir/provider"
)

// problems collects what shows only when a configuration is put to work, placed
// in the file that it was read from.
type problems struct {
	cfg  *Config
	list config.Problems
}

// add notes that what stands at path is wrong.
func (p *problems) add(path string, err error) {
	p.list = append(p.list, p.cfg.At(path, err.Error()))
}

// addOptions notes everything that is wrong with the options that stand at path.
func (p *problems) addOptions(path string, err error) {
	for _, e := range joined(err) {
		var option *provider.Problem
		if errors.As(e, &option) {
			p.add(path+"."+option.Option, errors.New(option.Message))
			continue
		}
		p.add(path, e)
	}
}

// addRoutes notes everything that the router found.
func (p *problems) addRoutes(err error) {
	for _, e := range joined(err) {
		var pattern *router.PatternError
		var conflict *router.ConflictError
		switch {
		case errors.As(e, &pattern):
			p.add(routePath(pattern.Route)+".match."+pattern.Field, e)
		case errors.As(e, &conflict):
			p.add(routePath(conflict.Second), e)
		default:
			p.add("routes", e)
		}
	}
}

// joined takes apart what errors.Join has put together.
func joined(err error) []error {
	if all, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // the outermost one
		return all.Unwrap()
	}
	return []error{err}
}
