package config

import "path/filepath"

// resolveFiles makes the paths of files relative to dir, the folder of the
// configuration file: it means the same wherever the process is started.
func (c *Config) resolveFiles(dir string) {
	for i := range c.Listeners {
		c.Listeners[i].TLS.resolveFiles(dir)
	}
	if c.Attach != nil {
		c.Attach.TLS.resolveFiles(dir)
	}
	for _, s := range c.Services {
		s.TLS.resolveFiles(dir)
		s.Provider.resolveFiles(dir)
		resolveEndpoints(s.Endpoints, dir)
		for _, v := range s.Versions {
			v.Provider.resolveFiles(dir)
			resolveEndpoints(v.Endpoints, dir)
		}
	}
	resolve(dir, &c.State)
	if l := c.AccessLog; l != nil && l.Path != "stdout" && l.Path != "stderr" {
		resolve(dir, &l.Path)
	}
}

func resolveEndpoints(list []Endpoint, dir string) {
	for i := range list {
		list[i].TLS.resolveFiles(dir)
	}
}

func (t *ServerTLS) resolveFiles(dir string) {
	if t == nil {
		return
	}
	for i := range t.Certificates {
		resolve(dir, &t.Certificates[i].Cert, &t.Certificates[i].Key)
	}
	resolve(dir, &t.ClientCA)
}

func (t *ClientTLS) resolveFiles(dir string) {
	if t != nil {
		resolve(dir, &t.CA, &t.Cert, &t.Key)
	}
}

func resolve(dir string, paths ...*string) {
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
}
