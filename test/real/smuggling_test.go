//go:build real

package real

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirproxy/weir/internal/smuggling"
)

// A witness is nginx as an endpoint that writes down which messages it saw.
type witness struct {
	socket string
	log    *os.File
	in     *bufio.Reader
	direct *http.Client
	count  int
}

// A seen is one line of its log.
type seen struct {
	Serial, Status, Method, Target, Host, Body string
	Fields                                     map[string]string
}

// startWitness runs an nginx that has a second server of its own read all content,
// and tells in its answer, and in its log, which message it was.
func startWitness(t *testing.T) *witness {
	t.Helper()
	dir := socketDir(t)
	w := &witness{socket: filepath.Join(dir, "front.sock")}
	fields := ""
	for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Proto", "Connection", "Upgrade", "TE", "Keep-Alive", "Proxy-Connection"} {
		variable := "$http_" + strings.ReplaceAll(strings.ToLower(name), "-", "_")
		fields += fmt.Sprintf(`,"%s":"%s"`, http.CanonicalHeaderKey(name), variable)
	}
	log := filepath.Join(dir, "seen.log")
	startNginx(t, dir, `
    log_format seen escape=json '{"Serial":"$connection-$connection_requests","Status":"$status",'
        '"Method":"$request_method","Target":"$request_uri","Host":"$http_host","Body":"$request_body",'
        '"Fields":{`+strings.TrimPrefix(fields, ",")+`}}';
    server {
        listen unix:`+w.socket+`;
        access_log `+log+` seen;
        client_max_body_size 0;
        client_body_buffer_size 1m;
        client_body_in_single_buffer on;
        large_client_header_buffers 8 128k;
        underscores_in_headers on;
        ignore_invalid_headers off;
        lingering_timeout 1s;
        location / {
            proxy_pass http://unix:`+dir+`/sink.sock:;
            proxy_http_version 1.1;
            add_header `+smuggling.SeenField+` $connection-$connection_requests always;
        }
    }
    server {
        listen unix:`+dir+`/sink.sock;
        client_max_body_size 0;
        location / { return 200 "seen\n"; }
    }`, w.socket)
	file, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	w.log, w.in = file, bufio.NewReader(file)
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", w.socket)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	w.direct = &http.Client{Transport: transport, Timeout: patience}
	w.take(t) // what waited for the socket
	return w
}

// take returns the messages that were seen whole since the last call.
func (w *witness) take(t *testing.T) []*smuggling.Message {
	t.Helper()
	w.count++
	barrier := fmt.Sprintf("/barrier-%d", w.count)
	get(t, w.direct, "http://witness.example"+barrier)
	var list []*smuggling.Message
	line := []byte(nil)
	for late := time.Now().Add(patience); time.Now().Before(late); {
		piece, err := w.in.ReadBytes('\n')
		if line = append(line, piece...); err == io.EOF {
			time.Sleep(time.Millisecond) // nginx writes its log behind the answer
			continue
		}
		var s seen
		if err := json.Unmarshal(line, &s); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		line = nil
		if s.Target == barrier {
			return list
		}
		if s.Status == "200" {
			list = append(list, s.message())
		}
	}
	t.Fatal("nginx does not write its log")
	return nil
}

func (s *seen) message() *smuggling.Message {
	m := &smuggling.Message{
		Serial: s.Serial, Method: s.Method, Target: s.Target, Host: s.Host, Body: s.Body,
		Header: http.Header{}, Whole: true,
	}
	for name, value := range s.Fields {
		if value != "" {
			m.Header.Set(name, value)
		}
	}
	return m
}

// nginx sees the same messages as the corpus says, behind Weir.
func TestSmuggling_NginxSeesTheSame(t *testing.T) {
	cases, err := smuggling.Cases()
	if err != nil {
		t.Fatal(err)
	}
	witness := startWitness(t)
	w := startPlain(t, "unix:"+witness.socket)
	setting := smuggling.Setting{Client: "127.0.0.1", Proto: "http", Loose: true}
	played, refused := 0, []string(nil)
	for _, c := range cases {
		if c.Switches() || bytes.Contains(c.Bytes(), []byte(" /ignore ")) {
			continue // this nginx does neither
		}
		for _, m := range []smuggling.Mode{smuggling.Whole, smuggling.HalfClose} {
			if !c.In(m) {
				continue
			}
			played++
			conn, err := net.Dial("tcp", w.addresses[0])
			if err != nil {
				t.Fatal(err)
			}
			got := smuggling.Play(conn, c, m)
			messages := witness.take(t)
			if ownRefusal(got) {
				refused = append(refused, c.Name+"/"+string(m))
				continue
			}
			if problems := setting.Judge(c, m, got, messages); len(problems) > 0 {
				t.Errorf("%s/%s: %s\n%s", c.Name, m, c.Reason, strings.Join(problems, "\n"))
			}
		}
	}
	t.Logf("%d of %d ways were played; nginx itself refuses %v", played, 2*len(cases), refused)
	if played < len(cases) || len(refused) > 20 {
		t.Error("that is not what this test is about")
	}
}

// ownRefusal reports whether an answer comes from nginx and is a refusal: some
// methods and targets that are sound it does not serve.
func ownRefusal(got *smuggling.Transcript) bool {
	return slices.ContainsFunc(got.Answers, func(a smuggling.Answer) bool {
		return a.Status >= 400 && a.Error == "" && a.Seen == ""
	})
}
