package config

// Sticky keeps a client at one endpoint by a cookie.
type Sticky struct {
	// The name of the cookie.
	Cookie string `yaml:"cookie" required:"true"`
	// What cookies are signed with, so that no client can choose its endpoint. Left out: random bytes, made when the process starts; then cookies do not outlive it, and another instance does not know them.
	Secret string `yaml:"secret" secret:"true"`
	// How long a browser keeps the cookie.
	MaxAge Duration `yaml:"max_age" default:"0s" zero:"until the browser is closed"`
}
