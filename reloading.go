package weir

import (
	"context"
	"errors"

	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/internal/admin"
)

// WithReload says where the configuration comes from, so that [Proxy.Reload] and the
// admin API can have it read again; read returns what is legal and unwise in it, too.
func WithReload(read func() (c *Config, warnings []error, err error)) Option {
	return func(p *Proxy) { p.read = read }
}

// ErrNothingToReload is returned by [Proxy.Reload] without [WithReload].
var ErrNothingToReload = errors.New("the configuration did not come from a file")

// Reload reads the configuration again and applies it, see [Proxy.Apply]. If that is
// not possible, everything stays as it is.
func (p *Proxy) Reload() (warnings []error, err error) {
	if p.read == nil {
		return nil, ErrNothingToReload
	}
	c, warnings, err := p.read()
	if err != nil {
		return nil, err
	}
	return warnings, p.Apply(*c)
}

// Config returns the configuration in force, with its defaults. It is not to be
// changed.
func (p *Proxy) Config() *Config { return p.config() }

// reloader is Reload as the admin listener wants it; nil without a file.
func (p *Proxy) reloader() admin.Reload {
	if p.read == nil {
		return nil
	}
	return func(context.Context) ([]string, error) {
		warnings, err := p.Reload()
		if err != nil {
			return nil, placed(err)
		}
		var texts []string
		for _, w := range warnings {
			texts = append(texts, w.Error())
		}
		return texts, nil
	}
}

// placed is an error with the places of what is wrong.
func placed(err error) error {
	var problems config.Problems
	if !errors.As(err, &problems) {
		return err
	}
	e := &admin.ReloadError{Err: err}
	for _, one := range problems {
		e.Problems = append(e.Problems, admin.Problem(one))
	}
	return e
}
