package weir_test

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/internal/proxytest"
)

// TestScenarios_ThroughServeHTTP plays the scenarios once more, with the proxy as the
// handler of an http.Server.
func TestScenarios_ThroughServeHTTP(t *testing.T) {
	files, err := filepath.Glob("testdata/scenarios/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no scenarios (%v)", err)
	}
	for i, file := range files {
		if testing.Short() && i%4 > 0 {
			continue // under the race detector, with all of TestScenarios, a quarter will do
		}
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
			if why, ok := notThroughServeHTTP[name]; ok {
				t.Skip(why)
			}
			proxytest.PlayInAnyOrder(t, file, startMounted)
		})
	}
}

// notThroughServeHTTP is the scenarios that are about what net/http does by itself, or
// does not let its handlers know.
var notThroughServeHTTP = skipped(map[string]string{
	"net/http answers HTTP/1.0 with HTTP/1.0":                                   "errors_plain framing_http10_client interim_flood interim_http10 keepalive_http10",
	"net/http takes a client that has closed its half for one that is gone":     "gone_half_closed gone_half_closed_and_streaming gone_in_the_middle_of_content keepalive_pipelined_and_half_closed",
	"net/http answers, or repairs, what is not HTTP/1.1 by itself":              "framing_host_missing framing_smuggling gone_within_head keepalive_leading_crlf routing_escapes_kept upgrade_refused_with_bytes_ahead",
	"the http.Server bounds heads, trailers, idle connections and their number": "limits_connections limits_head limits_head_default limits_trailers timeout_header timeout_header_first_byte timeout_idle_client",
	"the http.Server keeps the connection after what it could parse":            "framing_connect framing_options_asterisk",
	"net/http leaves Content-Length out of a 304":                               "framing_no_content strategy_failover_keeps_fields strategy_fanout_keeps_fields",
	"net/http has its own reason phrases, and its own case":                     "framing_fields_untouched",
	"whether content has come already cannot be seen without reading it":        "framing_broken_chunks_at_once interim_client_does_not_wait",
})

// skipped returns why, by the name of the scenario.
func skipped(reasons map[string]string) map[string]string {
	by := map[string]string{}
	for why, names := range reasons {
		for _, name := range strings.Fields(names) {
			by[name] = why
		}
	}
	return by
}

// A mounted proxy is the handler of an http.Server.
type mounted struct {
	*weir.Proxy
	open     func(network, address string) (net.Listener, error)
	server   http.Server
	listener net.Listener
}

func startMounted(e proxytest.Environment) (proxytest.Proxy, error) {
	p, err := start(e)
	if err != nil {
		return nil, err
	}
	m := &mounted{Proxy: p.(*weir.Proxy), open: e.Listen}
	m.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.TLS = nil // it is not the proxy's: scenarios have it end before that
		m.Proxy.ServeHTTP(w, r)
	})
	m.server.DisableGeneralOptionsHandler = true // OPTIONS * is for the endpoint
	m.server.ErrorLog = log.New(io.Discard, "", 0)
	return m, nil
}

func (m *mounted) Listen() (err error) {
	m.listener, err = m.open("tcp", "127.0.0.1:0")
	return err
}

func (m *mounted) Serve() error { return m.server.Serve(m.listener) }

func (m *mounted) Addresses() []string { return []string{m.listener.Addr().String()} }

func (m *mounted) Shutdown(ctx context.Context) error {
	err := m.Proxy.Shutdown(ctx)
	_ = m.server.Close()
	return err
}
