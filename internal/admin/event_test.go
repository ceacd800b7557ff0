package admin

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// feed is Events made of a list that grows.
type feed struct {
	mu      sync.Mutex
	events  []Event // with ids from 1
	missed  uint64  // before the next one
	changed chan struct{}
}

func newFeed() *feed { return &feed{changed: make(chan struct{})} }

func (f *feed) publish(event Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	event.ID = uint64(len(f.events)) + 1
	f.events = append(f.events, event)
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *feed) Subscribe(after uint64) (uint64, NextEvent) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := min(after, uint64(len(f.events)))
	return at, func(ctx context.Context) (Event, uint64, error) {
		for {
			f.mu.Lock()
			changed := f.changed
			if at < uint64(len(f.events)) {
				defer f.mu.Unlock()
				event, missed := f.events[at], f.missed
				at, f.missed = event.ID, 0
				return event, missed, nil
			}
			f.mu.Unlock()
			select {
			case <-changed:
			case <-ctx.Done():
				return Event{}, 0, ctx.Err()
			}
		}
	}
}

// pipes is a listener without a network, so that time may be virtual.
type pipes struct {
	conns  chan net.Conn
	closed context.Context
	close  context.CancelFunc
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed.Done():
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.close(); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-p.closed.Done():
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// A served is a listener that is served until stop is called.
type served struct {
	*pipes
	client *http.Client
	stop   func()
	err    error // once done is closed
	done   chan struct{}
}

func serve(t *testing.T, h http.Handler) *served {
	t.Helper()
	s := &served{pipes: &pipes{conns: make(chan net.Conn)}, done: make(chan struct{})}
	s.closed, s.close = context.WithCancel(context.Background())
	s.client = &http.Client{Transport: &http.Transport{DialContext: s.dial}}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	go func() {
		defer close(s.done)
		s.err = Serve(ctx, s.pipes, h, slog.New(slog.DiscardHandler))
	}()
	t.Cleanup(func() {
		stop()
		s.client.CloseIdleConnections()
		<-s.done
	})
	return s
}

// follow opens a stream of events, with fields "Name: value".
func (s *served) follow(t *testing.T, target string, fields ...string) *stream {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", "http://localhost"+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		r.Header.Set(name, value)
	}
	response, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return &stream{t: t, response: response, lines: bufio.NewReader(response.Body)}
}

// A stream is what a client reads of a stream of events.
type stream struct {
	t        *testing.T
	response *http.Response
	lines    *bufio.Reader
}

// block returns the lines up to an empty one, or what comes before the end.
func (s *stream) block() string {
	s.t.Helper()
	var block strings.Builder
	for {
		line, err := s.lines.ReadString('\n')
		block.WriteString(line)
		if err == io.EOF || line == "\n" {
			return block.String()
		}
		if err != nil {
			s.t.Fatalf("after %q: %v", block.String(), err)
		}
	}
}

func (s *stream) want(block string) {
	s.t.Helper()
	if got := s.block(); got != block {
		s.t.Errorf("the stream goes on with\n%q, want\n%q", got, block)
	}
}

var resting = Event{
	Time: begin, Type: "endpoint_state", Service: "web",
	Endpoint: "https://u:secret@10.0.0.2/", From: "up", To: "resting", Reason: "dial 10.0.0.2:\nrefused",
}

func TestEvents_AreServerSent(t *testing.T) {
	for _, verbose := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f, options := newFeed(), newOptions()
			options.Events, options.Verbose = f, verbose
			s := serve(t, New(options)).follow(t, "/v1/events")
			if media := s.response.Header.Get("Content-Type"); media != "text/event-stream" {
				t.Errorf("Content-Type %q", media)
			}
			s.want("retry: 2000\n\n")
			f.publish(resting)
			reason := ""
			if verbose {
				reason = `,"reason":"dial 10.0.0.2:\nrefused"`
			}
			s.want("id: 1\nevent: endpoint_state\n" +
				`data: {"id":1,"time":"2026-01-02T02:04:05Z","type":"endpoint_state","service":"web",` +
				`"endpoint":"https://u:xxxxx@10.0.0.2/","from":"up","to":"resting"` + reason + "}\n\n")
		})
	}
}

func TestEvents_BeginAfterTheLastEventID(t *testing.T) {
	for id, want := range map[string]string{
		"":       "id: 3\n\n", // from now on
		"what":   "id: 3\n\n",
		"-1":     "id: 3\n\n",
		"99":     "id: 3\n\n",
		"2":      "id: 2\n\n",
		"0":      "\n",
		"000002": "id: 2\n\n",
	} {
		synctest.Test(t, func(t *testing.T) {
			f, options := newFeed(), newOptions()
			options.Events = f
			for range 3 {
				f.publish(resting)
			}
			s := serve(t, New(options)).follow(t, "/v1/events", "Last-Event-ID: "+id)
			s.want("retry: 2000\n" + want)
			f.publish(resting)
			first := map[string]string{"id: 3\n\n": "id: 4\n", "id: 2\n\n": "id: 3\n", "\n": "id: 1\n"}[want]
			if got := s.block(); !strings.HasPrefix(got, first) {
				t.Errorf("with Last-Event-ID %q the first event is\n%s, want %s", id, got, first)
			}
		})
	}
}

func TestEvents_OfAService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, options := newFeed(), newOptions()
		options.Events = f
		s := serve(t, New(options)).follow(t, "/v1/events?service=web&service=a%20b")
		s.want("retry: 2000\n\n")
		for _, name := range []string{"api", "a b", "web", "", "api"} {
			f.publish(Event{Service: name, Type: "endpoint_state"})
		}
		for _, id := range []string{"2", "3"} {
			if got := s.block(); !strings.HasPrefix(got, "id: "+id+"\nevent: ") {
				t.Errorf("the next event is\n%s, want number %s", got, id)
			}
		}
		s.want(":\nid: 5\n\n") // where to go on, though the others were left out
		s.want(":\n\n")
	})
}

func TestEvents_TellHowManyWereMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, options := newFeed(), newOptions()
		options.Events, f.missed = f, 12
		s := serve(t, New(options)).follow(t, "/v1/events?service=api")
		s.want("retry: 2000\n\n")
		f.publish(resting)
		s.want("event: missed\ndata: {\"missed\":12}\n\n")
		f.publish(Event{Service: "api", Type: "endpoint_state"})
		if got := s.block(); !strings.HasPrefix(got, "id: 2\nevent: endpoint_state\n") {
			t.Errorf("then comes\n%s", got)
		}
	})
}

func TestEvents_AStreamOutlivesTheTimeoutsOfTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, options := newFeed(), newOptions()
		options.Events = f
		s := serve(t, New(options)).follow(t, "/v1/events")
		s.want("retry: 2000\n\n")
		begin := time.Now()
		for i := 1; i <= 40; i++ {
			s.want(":\n\n")
			if silent := time.Since(begin); silent != time.Duration(i)*commentInterval {
				t.Fatalf("comment %d comes after %v", i, silent)
			}
		}
		f.publish(resting)
		if got := s.block(); !strings.HasPrefix(got, "id: 1\n") {
			t.Errorf("after ten minutes the event is %q", got)
		}
	})
}

func TestEvents_EndAtOnceWhenTheListenerStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		options := newOptions()
		options.Events = newFeed()
		l := serve(t, New(options))
		s := l.follow(t, "/v1/events")
		s.want("retry: 2000\n\n")
		begin := time.Now()
		l.stop()
		s.want("") // a proper end
		if <-l.done; l.err != nil {
			t.Errorf("Serve: %v", l.err)
		}
		if took := time.Since(begin); took >= stopTimeout {
			t.Errorf("the listener stopped after %v, as if the stream had been cut", took)
		}
	})
}

func TestEvents_AClientThatTakesNothingIsLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, options := newFeed(), newOptions()
		options.Events = f
		ended := make(chan struct{})
		h := New(options)
		l := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer close(ended)
			h.ServeHTTP(w, r)
		}))
		conn, err := l.dial(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		begin := time.Now()
		if _, err := io.WriteString(conn, "GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		<-ended
		if took := time.Since(begin); took != streamWriteTimeout {
			t.Errorf("the stream ended after %v, want %v", took, streamWriteTimeout)
		}
	})
}

func TestEvents_FollowersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		options := newOptions()
		options.Events = newFeed()
		l := serve(t, New(options))
		streams := make([]*stream, maxStreams)
		for i := range streams {
			streams[i] = l.follow(t, "/v1/events")
			streams[i].want("retry: 2000\n\n")
		}
		refused := l.follow(t, "/v1/events").response
		if got := problemOf(t, refused); got != "too_many_streams" || refused.StatusCode != 503 || refused.Header.Get("Retry-After") == "" {
			t.Errorf("one more is answered with %d, %s, Retry-After %q", refused.StatusCode, got, refused.Header.Get("Retry-After"))
		}
		streams[0].response.Body.Close()
		synctest.Wait()
		if again := l.follow(t, "/v1/events").response; again.StatusCode != 200 {
			t.Errorf("when one has left the next is answered with %d, want 200", again.StatusCode)
		}
	})
}

func TestEvents_AreProtectedLikeTheOtherPaths(t *testing.T) {
	options := newOptions()
	options.Events = newFeed()
	for _, c := range []struct {
		method, field string
		status        int
		problem       string
	}{
		{"HEAD", "Accept: text/event-stream", 200, ""},
		{"POST", "Content-Type: application/json", 405, "method_not_allowed"},
		{"HEAD", "Host: evil.example", 421, "host_refused"},
		{"HEAD", "Origin: https://evil.example", 403, "cross_site"},
		{"HEAD", "Sec-Fetch-Site: cross-site", 403, "cross_site"},
	} {
		response := ask(New(options), c.method, "/v1/events", c.field)
		if response.StatusCode != c.status {
			t.Errorf("%s with %s: status %d, want %d", c.method, c.field, response.StatusCode, c.status)
		} else if c.problem != "" && problemOf(t, response) != c.problem {
			t.Errorf("%s with %s: another problem than %s", c.method, c.field, c.problem)
		}
	}
	if media := ask(New(options), "HEAD", "/v1/events").Header.Get("Content-Type"); media != "text/event-stream" {
		t.Errorf("HEAD tells Content-Type %q", media)
	}
	options.Token = "s3cret"
	if response := ask(New(options), "HEAD", "/v1/events"); response.StatusCode != 401 {
		t.Errorf("without the token: status %d, want 401", response.StatusCode)
	}
	if response := ask(MetricsOnly(options), "HEAD", "/v1/events"); response.StatusCode != 404 {
		t.Errorf("on the listener for scrapers: status %d, want 404", response.StatusCode)
	}
	if response := ask(New(newOptions()), "HEAD", "/v1/events"); response.StatusCode != 404 {
		t.Errorf("without events: status %d, want 404", response.StatusCode)
	}
}
