package etcd

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/status"

	"github.com/weirproxy/weir/provider/internal/registry"
)

const (
	// answerTimeout bounds how long a server may take to answer one question.
	answerTimeout = 5 * time.Second
	// A connection that is silent for keepAlive is asked for a sign of life, and
	// closed if none comes within answerTimeout. gRPC asks no more often.
	keepAlive = 10 * time.Second
	// maxTries are the tries of a question, so that one server of several that is
	// just leaving costs nothing.
	maxTries = 3
)

// dial makes a client. Only if there is a password does it talk to a server already.
func (p *Provider) dial(ctx context.Context) (*clientv3.Client, error) {
	secure, err := p.o.tls()
	if err != nil {
		return nil, err
	}
	client, err := clientv3.New(clientv3.Config{
		Context:              ctx,
		Endpoints:            p.o.Endpoints,
		TLS:                  secure,
		Username:             p.o.User,
		Password:             p.o.Password,
		DialTimeout:          answerTimeout,
		DialKeepAliveTime:    keepAlive,
		DialKeepAliveTimeout: answerTimeout,
		MaxUnaryRetries:      maxTries,
		Logger:               newLogger(p.o.Log),
		DialOptions: []grpc.DialOption{
			grpc.WithUserAgent("weir"),
			grpc.WithNoProxy(), // a registry is nothing that a proxy leads to
			grpc.WithIdleTimeout(0),
			grpc.WithChainUnaryInterceptor(failFast),
		},
	})
	return client, explain(err)
}

// failFast has a question fail with the reason when no server can be reached. The
// client's own way is to wait for one, and to say no more than that time is over.
func failFast(ctx context.Context, method string, question, answer any, conn *grpc.ClientConn, ask grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	return ask(ctx, method, question, answer, conn, append(opts, grpc.WaitForReady(false))...)
}

// explain says what an error is about without the words of gRPC.
func explain(err error) error {
	switch s, ok := status.FromError(err); {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded), ok && s.Code() == codes.DeadlineExceeded:
		return fmt.Errorf("no answer within %v", answerTimeout)
	case ok && s.Code() == codes.Unavailable:
		return errors.New(withoutWrapping(s.Message()))
	case ok:
		return errors.New(s.Message())
	default:
		return err
	}
}

// withoutWrapping returns the innermost of what was wrapped around the reason why a
// connection failed.
func withoutWrapping(text string) string {
	for _, wrapping := range []string{"last connection error: ", "connection error: desc = ", "transport: ", "Error while dialing: "} {
		if _, inner, found := strings.Cut(text, wrapping); found {
			text = inner
		}
		if plain, err := strconv.Unquote(text); err == nil {
			text = plain
		}
	}
	return registry.WithoutOurPort(text)
}

// lost returns a channel that is closed as soon as no server is connected, if only for
// a moment, or ctx is over. The watch itself is silent about it.
func lost(ctx context.Context, conn *grpc.ClientConn) <-chan struct{} {
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		if conn.GetState() == connectivity.Ready {
			conn.WaitForStateChange(ctx, connectivity.Ready)
		}
	}()
	return gone
}
