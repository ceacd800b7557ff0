package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/go-zookeeper/zk"
)

// connectTimeout bounds how long a server may take to accept a connection, and again
// to open a session.
const connectTimeout = 3 * time.Second

var errLost = errors.New("the connection was lost")

// A session is a connection to one server, and what ZooKeeper has said of nodes over
// it. It does not survive the connection.
type session struct {
	server string
	wire   net.Conn
	conn   *zk.Conn
	ended  <-chan zk.Event // closed when the client has left no goroutine

	wake chan struct{} // has an element when there is something in dirty
	lost chan struct{} // closed when the connection is
	once sync.Once

	mu    sync.Mutex
	alive bool
	dirty map[question]bool
}

// open opens a session with one server. A session that does not come about is closed
// in the background.
func open(ctx context.Context, server string, o Options, closing *sync.WaitGroup) (*session, error) {
	dialer := net.Dialer{Timeout: connectTimeout}
	wire, err := dialer.DialContext(ctx, "tcp", server)
	if err != nil {
		return nil, err
	}
	s := &session{
		server: server, wire: newFrames(wire),
		wake: make(chan struct{}, 1), lost: make(chan struct{}), dirty: map[question]bool{},
	}
	opened := make(chan struct{})
	s.conn, s.ended, err = zk.Connect([]string{server}, o.Session,
		zk.WithDialer(s.dialOnce()), zk.WithHostProvider(&lone{server: server}),
		zk.WithLogger(printer{o.Log}), zk.WithMaxConnBufferSize(sendBuffer), zk.WithEventCallback(s.receive(opened)))
	if err != nil {
		_ = wire.Close()
		return nil, err
	}
	if err := s.begin(ctx, opened, o.Auth); err != nil {
		closing.Go(s.close)
		return nil, fmt.Errorf("%s: %w", server, err)
	}
	return s, nil
}

// begin waits until the session is there, and says who we are.
func (s *session) begin(ctx context.Context, opened <-chan struct{}, auth string) error {
	late := time.NewTimer(connectTimeout)
	defer late.Stop()
	select {
	case <-opened:
	case <-s.lost:
		return errors.New("the server closed the connection instead of opening a session")
	case <-late.C:
		return fmt.Errorf("no session within %v", connectTimeout)
	case <-ctx.Done():
		return ctx.Err()
	}
	if auth == "" {
		return nil
	}
	defer context.AfterFunc(ctx, s.conn.Close)()
	if err := s.conn.AddAuth("digest", []byte(auth)); err != nil {
		return fmt.Errorf("authenticate: %w", err)
	}
	return nil
}

// dialOnce gives the client the connection that is there, and no other: sessions are
// not resumed.
func (s *session) dialOnce() zk.Dialer {
	given := false
	return func(string, string, time.Duration) (net.Conn, error) {
		if given {
			return nil, errLost
		}
		given = true
		return s.wire, nil
	}
}

// receive is called by the client with all events.
func (s *session) receive(opened chan struct{}) zk.EventCallback {
	return func(e zk.Event) {
		switch {
		case e.Type != zk.EventSession:
			s.stale(e)
		case e.State == zk.StateHasSession:
			s.mu.Lock()
			if !s.alive {
				s.alive = true
				close(opened)
			}
			s.mu.Unlock()
		case e.State == zk.StateDisconnected, e.State == zk.StateExpired, e.State == zk.StateAuthFailed:
			s.once.Do(func() { close(s.lost) })
		}
	}
}

// stale notes what is to be read again after an event. All watches that it concerns
// are used up.
func (s *session) stale(e zk.Event) {
	q := question{path: e.Path}
	switch e.Type {
	case zk.EventNodeDataChanged:
		q.data = true
	case zk.EventNodeChildrenChanged:
		q.children = true
	case zk.EventNodeCreated, zk.EventNodeDeleted:
		q.data, q.children = true, true
	default:
		return
	}
	s.mu.Lock()
	s.dirty[q] = true
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// takeStale returns what is to be read again, and forgets it.
func (s *session) takeStale() []question {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := unite(s.dirty)
	s.dirty = map[question]bool{}
	return list
}

// close ends the session, politely if the server is there to hear it, and returns when
// the client has left nothing behind.
func (s *session) close() {
	select {
	case <-s.lost:
		_ = s.wire.Close()
	default:
		polite := time.AfterFunc(time.Second, func() { _ = s.wire.Close() })
		defer polite.Stop()
	}
	s.conn.Close()
	_ = s.wire.Close()
	for range s.ended {
	}
}

// A lone is a host provider with one server, which the client has failed to reach
// whenever it asks again.
type lone struct {
	server string
	asked  bool
}

// Init implements zk.HostProvider.
func (l *lone) Init([]string) error { return nil }

// Len implements zk.HostProvider.
func (l *lone) Len() int { return 1 }

// Next implements zk.HostProvider.
func (l *lone) Next() (server string, retryStart bool) {
	retryStart, l.asked = l.asked, true
	return l.server, retryStart
}

// Connected implements zk.HostProvider.
func (l *lone) Connected() {}

// A printer passes on what the client logs. All of it is for debugging: what matters
// is told as an outage.
type printer struct{ log *slog.Logger }

// Printf implements zk.Logger.
func (p printer) Printf(format string, args ...any) {
	p.log.Debug("zookeeper: " + fmt.Sprintf(format, args...))
}
