package weir

import (
	"cmp"
	"fmt"

	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/internal/access"
	"github.com/weirproxy/weir/internal/compress"
	"github.com/weirproxy/weir/internal/cors"
	"github.com/weirproxy/weir/internal/forwarding"
	"github.com/weirproxy/weir/internal/ratelimit"
	"github.com/weirproxy/weir/internal/shape"
)

// A shaping is what a route does with what passes, beside sending it to a service.
// What is nil or zero does nothing.
type shaping struct {
	access   *access.List
	cors     *cors.Policy
	limit    *limit
	maxBody  int64
	extras   forwarding.Extras
	compress *compress.Policy
	steps    *shape.Program
}

// A limit is how many requests with the same key pass.
type limit struct {
	*ratelimit.Limiter
	key *shape.Expression // nil: the client's address
}

// shaping returns what the route at path does with what passes; nil if that is nothing.
func (pl *plan) shaping(p *Proxy, r config.Route, path string, s *shaper) *shaping {
	sh := &shaping{
		access:   access.New(access.Options{Allow: r.Allow, Deny: r.Deny}),
		limit:    pl.limit(p, r, path, s),
		maxBody:  max(0, int64(r.MaxBody)),
		extras:   forwarding.Extras{Forwarded: r.Forwarded == "rfc7239", Via: r.Via},
		compress: compression(p, r.Compress, path, s),
		steps:    s.steps(r, path),
	}
	if c := r.CORS; c != nil {
		policy, err := cors.New(cors.Options{
			Origins: c.Origins, Methods: c.Methods, Headers: c.Headers, Expose: c.Expose,
			Credentials: c.Credentials, MaxAge: max(0, c.MaxAge.Std()),
		})
		if err != nil {
			s.found.add(config.Below(path, "cors"), err)
		}
		sh.cors = policy
	}
	if sh.steps != nil {
		pl.programs = append(pl.programs, sh.steps)
	}
	if sh.isNothing() {
		return nil
	}
	return sh
}

func (sh *shaping) isNothing() bool {
	return sh.access == nil && sh.cors == nil && sh.limit == nil && sh.maxBody == 0 &&
		!sh.extras.Forwarded && !sh.extras.Via && sh.compress == nil && sh.steps == nil
}

func compression(p *Proxy, c *config.Compress, path string, s *shaper) *compress.Policy {
	if c == nil || c.Off {
		return nil
	}
	policy, err := compress.New(compress.Options{
		Types: c.Types, MinSize: cmp.Or(max(0, int64(c.MinSize)), 1), Algorithms: c.Algorithms, Encoders: p.encoders,
	})
	if err != nil {
		s.found.add(config.Below(path, "compress"), err)
		return nil
	}
	return policy
}

// limit returns the limit of a route. One that is the same as before goes on counting.
func (pl *plan) limit(p *Proxy, r config.Route, path string, s *shaper) *limit {
	c := r.RateLimit
	if c == nil {
		return nil
	}
	below := config.Below(path, "rate_limit")
	l := new(limit)
	if c.Key != "client.address" {
		l.key = s.expression(config.Below(below, "key"), c.Key, shape.RequestSide, shape.Text)
	}
	o := ratelimit.Options{Requests: int64(c.Requests), Per: c.Per.Std(), Burst: int64(max(0, c.Burst)), MaxKeys: c.Clients}
	name := fmt.Sprintf("%v %s", r.Match, c.Key)
	if before := p.plan.Load(); before != nil && before.limits[name] != nil && before.limits[name].Options() == o {
		l.Limiter = before.limits[name]
	} else {
		limiter, err := ratelimit.New(o)
		if err != nil {
			s.found.add(below, err)
			return nil
		}
		l.Limiter = limiter
	}
	pl.limits[name] = l.Limiter
	return l
}
