//go:build real

package real

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// socketDir returns a folder with a short name: that of a socket has to be.
func socketDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "weir")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// startNginx runs nginx, one process, in a folder of its own, and waits for it to
// listen on a socket there.
func startNginx(t *testing.T, dir, http, socket string) *process {
	t.Helper()
	config := filepath.Join(dir, "nginx.conf")
	writeFile(t, config, fmt.Sprintf(`
daemon off;
master_process off;
pid %[1]s/nginx.pid;
error_log stderr warn;
events { worker_connections 1024; }
http {
    client_body_temp_path %[1]s/body;
    proxy_temp_path %[1]s/proxy;
    fastcgi_temp_path %[1]s/fastcgi;
    uwsgi_temp_path %[1]s/uwsgi;
    scgi_temp_path %[1]s/scgi;
    access_log off;
    keepalive_requests 1000000;
    %[2]s
}`, dir, http))
	p := start(t, "nginx", "-p", dir, "-c", config, "-e", "stderr")
	awaitSocket(t, p, socket)
	return p
}

// awaitSocket waits until somebody listens on a Unix socket.
func awaitSocket(t *testing.T, p *process, path string) {
	t.Helper()
	for late := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("unix", path); err == nil {
			_ = c.Close()
			return
		}
		select {
		case <-p.done:
			t.Fatalf("it ended:\n%s", strings.Join(p.lines(), "\n"))
		default:
		}
		if time.Now().After(late) {
			t.Fatalf("nobody listens on %s:\n%s", path, strings.Join(p.lines(), "\n"))
		}
	}
}

// What nginx answers through the proxy is, byte for byte, what it answers without.
func TestNginx_PassesUnchanged(t *testing.T) {
	dir := socketDir(t)
	socket := filepath.Join(dir, "nginx.sock")
	if err := os.MkdirAll(filepath.Join(dir, "www/dir"), 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "www/small.txt"), "hello\n")
	writeFile(t, filepath.Join(dir, "www/large.txt"), strings.Repeat("all work and no play\n", 100_000))
	startNginx(t, dir, `
    types { text/plain txt; text/html html; }
    gzip on;
    gzip_min_length 100;
    gzip_types text/plain;
    server {
        listen unix:`+socket+`;
        root `+dir+`/www;
        error_page 404 /small.txt;
        add_header X-Two a;
        add_header X-Two b;
        location /denied { return 403; }
        location /moved { return 301 /small.txt; }
        location /nothing { return 204; }
        location /broken { return 500 "broken\n"; }
        location /cookies { add_header Set-Cookie "a=1; Path=/"; add_header set-cookie "b=2"; return 200 "ok\n"; }
    }`, socket)
	w := startPlain(t, "unix:"+socket)
	for _, args := range [][]string{
		{"/small.txt"},
		{"/large.txt"},
		{"-I", "/large.txt"},
		{"-r", "5-20", "/large.txt"},
		{"-r", "0-3,10-12", "/small.txt"},
		{"-r", "9999999-", "/large.txt"},
		{"-H", "Accept-Encoding: gzip", "/large.txt"},
		{"-I", "-H", "Accept-Encoding: gzip", "/large.txt"},
		{"-H", "If-None-Match: *", "/small.txt"},
		{"/not-there"},
		{"/denied"},
		{"/moved"},
		{"/dir"},
		{"/nothing"},
		{"/broken"},
		{"/cookies"},
		{"-X", "DELETE", "/small.txt"},
		{"-d", "a=b", "/small.txt"},
	} {
		path := args[len(args)-1]
		flags := append([]string{"-i", "-H", "Host: a.example"}, args[:len(args)-1]...)
		direct := curl(t, append(flags, "--unix-socket", socket, "http://a.example"+path)...)
		proxied := curl(t, append(flags, w.url(path))...)
		if a, b := comparable(direct), comparable(proxied); a != b {
			t.Errorf("%v\nnginx says\n%.600s\nand through the proxy\n%.600s", args, a, b)
		}
	}
	if open := w.metric(t, "weir_connections_total", `side="endpoint"`); open > 3 {
		t.Errorf("%v connections to nginx: they were not kept", open)
	}
}

// comparable takes what differs between two answers, or is for one hop, off a
// head: Date, Connection, and the boundary of ranges, a counter. What frames the
// content has to be the same.
func comparable(answer string) string {
	head, body, _ := strings.Cut(answer, "\r\n\r\n")
	boundary := ""
	var lines []string
	for line := range strings.SplitSeq(head, "\r\n") {
		name, value, _ := strings.Cut(line, ": ")
		if name == "Date" || name == "Connection" {
			continue
		}
		if _, after, found := strings.Cut(value, "boundary="); found {
			boundary = after
		}
		lines = append(lines, line)
	}
	answer = strings.Join(lines, "\r\n") + "\r\n\r\n" + body
	if boundary != "" {
		answer = strings.ReplaceAll(answer, boundary, "BOUNDARY")
	}
	return answer
}
