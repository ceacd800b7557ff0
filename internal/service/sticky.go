package service

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// Sticky keeps a client with the endpoint that answered it first, by a cookie. Its
// value is a signature of the endpoint's identity (HMAC-SHA256), so that it tells
// nothing about the endpoint, cannot be made up, and means the same to every
// process that has the secret.
type Sticky struct {
	service string
	pool    *Pool
	cookie  string
	secret  []byte
	maxAge  time.Duration
	known   atomic.Pointer[directory]
}

// A directory is the members of a pool by the values of their cookies.
type directory struct {
	members []*Member
	byValue map[string]*Member
}

// NewSticky returns the stickiness of the service called service to the members
// of pool. Cookies live for maxAge; 0 is as long as the browser runs.
func NewSticky(service string, pool *Pool, cookie string, secret []byte, maxAge time.Duration) *Sticky {
	return &Sticky{service: service, pool: pool, cookie: cookie, secret: secret, maxAge: maxAge}
}

// directory returns the directory of the members there are now.
func (s *Sticky) directory() *directory {
	members := s.pool.Members()
	d := s.known.Load()
	if d != nil && isSame(d.members, members) {
		return d
	}
	d = &directory{members: members, byValue: make(map[string]*Member, len(members))}
	for _, m := range members {
		d.byValue[s.value(m)] = m
	}
	s.known.Store(d)
	return d
}

// isSame reports whether two lists are the same one: a pool replaces its list as a
// whole.
func isSame(a, b []*Member) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// value returns what the cookie says that names m.
func (s *Sticky) value(m *Member) string { return signed(s.secret, s.service, m.Endpoint.Name) }

// signatureLength is how many bytes of a signature are used: more than can be
// guessed.
const signatureLength = 18

func signed(secret []byte, service, endpoint string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("weir sticky\x00" + service + "\x00" + endpoint))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:signatureLength])
}

// member returns whom the client's cookie names; nil if it has none that is good.
func (s *Sticky) member(x *exchange.Exchange) *Member {
	value := cookieValue(x.Request.Header, s.cookie)
	if len(value) == 0 {
		return nil
	}
	return s.directory().byValue[string(value)]
}

// keeps reports whether a client whose cookie names named keeps that cookie after
// an answer by m: that endpoint may only be busy.
func (s *Sticky) keeps(named, m *Member) bool {
	return named != nil && (named == m || named.State().Condition.Available())
}

var setCookie = []byte("Set-Cookie")

// field returns the field that binds the client to m (RFC 6265 §4.1).
func (s *Sticky) field(x *exchange.Exchange, m *Member) exchange.Field {
	v := s.cookie + "=" + s.value(m) + "; Path=/; HttpOnly; SameSite=Lax"
	if s.maxAge > 0 {
		v += "; Max-Age=" + strconv.Itoa(int(s.maxAge.Seconds()))
	}
	if x.Client.TLS {
		v += "; Secure"
	}
	return exchange.Field{Name: setCookie, Value: []byte(v)}
}
