package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

const (
	// adminTimeout is how long a router may take to answer, reloadTimeout to read
	// its configuration and all files that it names.
	adminTimeout  = 10 * time.Second
	reloadTimeout = 60 * time.Second
	// maxAnswer bounds an answer; 10,000 endpoints have a tenth of it.
	maxAnswer = 64 << 20
)

// An adminClient asks the admin API of one router.
type adminClient struct {
	address string // as it was written
	base    string // scheme and authority
	token   string
	client  *http.Client
}

// newAdminClient reads host:port, http(s)://host:port or unix:/path.
func newAdminClient(address string) (*adminClient, error) {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	transport := &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}
	c := &adminClient{address: address, client: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		if !strings.HasPrefix(path, "/") {
			return nil, fmt.Errorf("%q: the path of a Unix socket begins with a slash, as in unix:/run/weir.sock", address)
		}
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", path)
		}
		c.base = "http://localhost"
		return c, nil
	}
	base, err := adminBase(address)
	c.base = base
	return c, err
}

func adminBase(address string) (string, error) {
	wrong := fmt.Errorf("%s is not where a router is; write host:port, http(s)://host:port or unix:/path", quoted(address))
	if !strings.Contains(address, "://") {
		host, port, err := net.SplitHostPort(address)
		if err != nil || port == "" || strings.ContainsAny(host, "/@?#") {
			return "", wrong
		}
		return "http://" + dialable(address), nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", wrong
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return "", wrong
	}
	return u.Scheme + "://" + u.Host, nil
}

// isOpen reports whether what is sent can be read on the way.
func (c *adminClient) isOpen() bool {
	u, err := url.Parse(c.base)
	if err != nil || u.Scheme != "http" || u.Hostname() == "localhost" {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err != nil || !ip.IsLoopback()
}

// adminPath makes a path of segments, whatever characters they have.
func adminPath(segments ...string) string {
	var path strings.Builder
	path.WriteString("/v1")
	for _, s := range segments {
		path.WriteString("/" + url.PathEscape(s))
	}
	return path.String()
}

// get asks for a value.
func (c *adminClient) get(path string, value any) error {
	_, err := c.call(http.MethodGet, path, nil, value)
	return err
}

// call sends a request, with a body if that is not nil, and decodes the answer into
// value if that is not nil. If the router refuses it, the error is a *refused.
func (c *adminClient) call(method, path string, body, value any) (status int, err error) {
	timeout := adminTimeout
	if path == adminPath("reload") {
		timeout = reloadTimeout
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	r, err := c.request(ctx, method, path, body)
	if err != nil {
		return 0, err
	}
	answer, err := c.client.Do(r)
	if err != nil {
		return 0, c.unanswered(err, timeout)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	switch {
	case err != nil:
		return 0, c.unanswered(err, timeout)
	case len(text) > maxAnswer:
		return 0, fmt.Errorf("%s answers more than %d MiB; that is no admin API", c.address, maxAnswer>>20)
	case answer.StatusCode < 200 || answer.StatusCode > 299:
		return 0, c.refusal(answer, text)
	case value != nil && json.Unmarshal(text, value) != nil:
		return 0, c.stranger(answer)
	}
	return answer.StatusCode, nil
}

func (c *adminClient) request(ctx context.Context, method, path string, body any) (*http.Request, error) {
	var content io.Reader = http.NoBody
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, content)
	if err != nil {
		return nil, err
	}
	if method != http.MethodGet {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	return r, nil
}

// unanswered says what to do when there is no answer.
func (c *adminClient) unanswered(err error, timeout time.Duration) error {
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		err = wrapped.Err // it would say the URL again
	}
	dial := (*net.OpError)(nil)
	switch {
	case errors.As(err, &dial) && dial.Op == "dial":
		return fmt.Errorf("no router answers at %s; start one with `weir run`, or name it with --admin (%w)", c.address, dial.Err)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("the router at %s has not answered within %s", c.address, timeout)
	}
	return fmt.Errorf("the router at %s cannot be asked: %w", c.address, err)
}

// stranger is the error of an answer that no Weir gives.
func (c *adminClient) stranger(answer *http.Response) error {
	return fmt.Errorf("what answers at %s is no admin API of Weir (%s); name it with --admin", c.address, answer.Status)
}

// refused is why a router does not do what it was asked for.
type refused struct {
	Code     string          `json:"error"`
	Title    string          `json:"title"`
	Detail   string          `json:"detail"`
	Problems []placedProblem `json:"problems"`
	advice   string
}

// Error implements error.
func (r *refused) Error() string {
	text := r.Detail
	if text == "" {
		text = r.Title
	}
	return "the router refuses: " + printable(text) + " (" + printable(r.Code) + ")" + r.advice
}

// advice says what to do about some refusals.
var advice = map[string]string{
	"unauthorized": "; give it by --token or " + adminTokenVariable,
	"host_refused": "; list the host under admin.hosts, or configure a token",
	"worker":       "; weir endpoints drain does that",
}

func (c *adminClient) refusal(answer *http.Response, text []byte) error {
	r := new(refused)
	media, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if media != "application/problem+json" || json.Unmarshal(text, r) != nil || r.Code == "" {
		return c.stranger(answer)
	}
	r.advice = advice[r.Code]
	return r
}
