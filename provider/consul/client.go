package consul

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/weirproxy/weir/provider/internal/registry"
)

const (
	// answerTimeout bounds how long Consul may take to answer, beyond the time that
	// it was asked to wait.
	answerTimeout = 10 * time.Second
	dialTimeout   = 5 * time.Second
	// maxAnswer is the greatest size of an answer, in bytes.
	maxAnswer = 256 << 20
)

// client makes one, which has to be closed. It talks to nobody yet.
func (p *Provider) client() (client *api.Client, closing func(), err error) {
	transport := &http.Transport{
		// No proxy: a registry is nothing that one leads to.
		DialContext:         (&net.Dialer{Timeout: dialTimeout, KeepAlive: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout: dialTimeout,
		MaxIdleConns:        1,
		IdleConnTimeout:     time.Minute,
	}
	if p.o.secure() {
		if transport.TLSClientConfig, err = p.o.trust().Config(); err != nil {
			return nil, nil, err
		}
	}
	client, err = api.NewClient(&api.Config{
		Address: p.o.Address, Scheme: "http", // that of the address counts
		Token: p.o.Token, Datacenter: p.o.Datacenter, Namespace: p.o.Namespace, Partition: p.o.Partition,
		HttpClient: &http.Client{
			Transport: bounded{transport},
			// Who is led elsewhere would show the token there.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	})
	return client, transport.CloseIdleConnections, err
}

// A bounded transport ends answers that are too large.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.next.RoundTrip(r)
	if err == nil {
		answer.Body = &boundedBody{answer.Body, maxAnswer}
	}
	return answer, err
}

type boundedBody struct {
	io.ReadCloser
	left int
}

// Read implements io.Reader.
func (b *boundedBody) Read(to []byte) (n int, err error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("the answer has more than %d MiB", maxAnswer>>20)
	}
	n, err = b.ReadCloser.Read(to[:min(len(to), b.left)])
	b.left -= n
	return n, err
}

// explain says what an error is about without what differs every time.
func explain(err error) error {
	var refused api.StatusError
	var wrapped *url.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("no answer in time")
	case errors.As(err, &refused):
		return fmt.Errorf("it answers %d %s: %q", refused.Code, http.StatusText(refused.Code), registry.Shorten(refused.Body))
	case errors.As(err, &wrapped):
		err = wrapped.Err
	}
	return errors.New(registry.WithoutOurPort(err.Error()))
}
