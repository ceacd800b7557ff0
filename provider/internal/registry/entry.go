package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/weirproxy/weir/endpoint"
)

// The bounds of what is taken from a registry.
const (
	// MaxValue is the greatest size of a value, in bytes. An entry with a larger
	// one is left out.
	MaxValue = 64 << 10
	// MaxEndpoints is how many entries of a service are looked at.
	MaxEndpoints = 100_000

	// MaxWeight is the greatest weight.
	MaxWeight = 1000
	// MaxLabels and MaxLabelBytes are how many labels an endpoint has, and how
	// many bytes their names and values have together.
	MaxLabels     = 32
	MaxLabelBytes = 1024

	maxID          = 256
	maxURL         = 2048
	maxName        = 128
	maxConcurrency = 10_000_000
)

// nameChars are what versions and zones are made of, whoever names them.
const nameChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

// An Entry is what was read from one key: an endpoint, or what is wrong.
type Entry struct {
	Endpoint endpoint.Endpoint
	Wrong    error
}

// ReadEntry reads the value of a key. The key is ID or VERSION/ID, without the path
// of the service.
func ReadEntry(key string, value []byte) Entry {
	e, err := readEndpoint(key, value)
	return Entry{e, err}
}

func readEndpoint(key string, value []byte) (e endpoint.Endpoint, err error) {
	version, id, ok := strings.Cut(key, "/")
	if !ok {
		version, id = "", key
	}
	switch {
	case strings.Contains(id, "/"):
		return e, errors.New("it is too deep: below the service stand ID or VERSION/ID")
	case ok && version == "":
		return e, errors.New("its version is empty")
	}
	if err := CheckID("its ID", id); err != nil {
		return e, err
	}
	e, err = readValue(value)
	if err != nil {
		return e, err
	}
	e.Name = id
	if version != "" && e.Version != "" && e.Version != version {
		return e, fmt.Errorf("its key says version %q, its value says %q", Shorten(version), Shorten(e.Version))
	}
	if version != "" {
		e.Version = version
	}
	return e, CheckName("version", e.Version)
}

// A Content is a value in its long form. What it does not know is for others, or for
// a Weir to come, and no reason to leave the endpoint out.
type Content struct {
	URL         string            `json:"url"`
	Weight      *int              `json:"weight"`
	Zone        string            `json:"zone"`
	Labels      map[string]string `json:"labels"`
	Version     string            `json:"version"`
	Concurrency int               `json:"concurrency"`
}

func readValue(value []byte) (e endpoint.Endpoint, err error) {
	if len(value) > MaxValue {
		return e, fmt.Errorf("its value has %d bytes; at most %d are read", len(value), MaxValue)
	}
	value = bytes.TrimSpace(value)
	if len(value) == 0 {
		return e, errors.New("its value is empty; write the endpoint's URL")
	}
	if value[0] != '{' {
		e.Address, err = ReadURL(string(value))
		return e, err
	}
	var c Content
	if err := json.Unmarshal(value, &c); err != nil {
		return e, explainJSON(err)
	}
	return c.Endpoint()
}

// Endpoint returns the endpoint that is described. It has no name yet.
func (c Content) Endpoint() (e endpoint.Endpoint, err error) {
	if c.URL == "" {
		return e, errors.New(`its value has no "url"`)
	}
	address, err := ReadURL(c.URL)
	if err != nil {
		return e, err
	}
	e, err = c.Attributes()
	e.Address = address
	return e, err
}

// Attributes returns what is said of the endpoint besides its address.
func (c Content) Attributes() (e endpoint.Endpoint, err error) {
	switch {
	case c.Weight != nil && (*c.Weight < 1 || *c.Weight > MaxWeight):
		return e, fmt.Errorf("weight %d is not from 1 to %d", *c.Weight, MaxWeight)
	case c.Concurrency < 0 || c.Concurrency > maxConcurrency:
		return e, fmt.Errorf("concurrency %d is not from 0 to %d", c.Concurrency, maxConcurrency)
	}
	if err := CheckName("zone", c.Zone); err != nil {
		return e, err
	}
	if err := CheckName("version", c.Version); err != nil {
		return e, err
	}
	if err := checkLabels(c.Labels); err != nil {
		return e, err
	}
	if c.Weight != nil {
		e.Weight = *c.Weight
	}
	e.Zone, e.Labels, e.Version, e.Concurrency = c.Zone, c.Labels, c.Version, c.Concurrency
	return e, nil
}

// ReadURL reads the address of an endpoint. Sockets of this machine are none: who
// may write to a registry may not for that reach what listens on them.
func ReadURL(raw string) (endpoint.Address, error) {
	if len(raw) > maxURL {
		return endpoint.Address{}, fmt.Errorf("its URL has %d characters; at most %d are read", len(raw), maxURL)
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return endpoint.Address{}, fmt.Errorf("%q is not the URL of an endpoint; write http://host:port or https://host:port", Shorten(raw))
	}
	switch {
	case u.User != nil:
		return endpoint.Address{}, errors.New("its URL names a user, which no endpoint is told")
	case u.Fragment != "":
		return endpoint.Address{}, errors.New("its URL has a fragment (#), which no endpoint is told")
	}
	if p := u.Port(); p != "" {
		if n, err := strconv.ParseUint(p, 10, 16); err != nil || n == 0 {
			return endpoint.Address{}, fmt.Errorf("port %s is not from 1 to 65535", Shorten(p))
		}
	}
	return endpoint.ParseAddress(raw)
}

// CheckID refuses names that would garble a log. What says what is named.
func CheckID(what, id string) error {
	switch {
	case id == "":
		return fmt.Errorf("%s is empty", what)
	case len(id) > maxID:
		return fmt.Errorf("%s has %d bytes; at most %d are read", what, len(id), maxID)
	case !IsPlain(id) || strings.ContainsFunc(id, unicode.IsSpace):
		return fmt.Errorf("%s has spaces, control characters or bytes that are not UTF-8", what)
	}
	return nil
}

// CheckName checks a version or a zone. None is one, too.
func CheckName(what, name string) error {
	switch {
	case len(name) > maxName:
		return fmt.Errorf("%s has %d bytes; at most %d are read", what, len(name), maxName)
	case strings.ContainsFunc(name, func(r rune) bool { return !strings.ContainsRune(nameChars, r) }):
		return fmt.Errorf("%s %q has other characters than letters, digits, . _ and -", what, name)
	case name != "" && strings.Trim(name, ".") == "":
		return fmt.Errorf("%s %q is nothing but dots", what, name)
	}
	return nil
}

func checkLabels(labels map[string]string) error {
	if len(labels) > MaxLabels {
		return fmt.Errorf("it has %d labels; at most %d are read", len(labels), MaxLabels)
	}
	size := 0
	for name, value := range labels {
		if name == "" || !IsPlain(name) || !IsPlain(value) {
			return errors.New("a label has no name, or control characters")
		}
		size += len(name) + len(value)
	}
	if size > MaxLabelBytes {
		return fmt.Errorf("its labels have %d bytes together; at most %d are read", size, MaxLabelBytes)
	}
	return nil
}

// IsPlain reports whether a text is UTF-8 without control characters.
func IsPlain(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// explainJSON says what is wrong in the words of whoever wrote the value.
func explainJSON(err error) error {
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) && wrong.Field != "" {
		return fmt.Errorf("%q is a %s, want %s", wrong.Field, wrong.Value, wrong.Type)
	}
	return fmt.Errorf("its value begins like JSON and is none: %w", err)
}

// Shorten keeps a stranger's text from filling the log.
func Shorten(text string) string {
	const most = 100
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
