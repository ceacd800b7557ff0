package weir_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
)

// token is a credential for all services, unless others are named.
func token(secret string, services ...string) config.AttachToken {
	if len(services) == 0 {
		services = []string{"*"}
	}
	return config.AttachToken{Token: secret, Services: services}
}

const (
	tokenA = "token-of-a-0123456789"
	tokenB = "token-of-b-0123456789"
)

// startWithTokens starts a router, and returns a copy of its configuration to be
// changed.
func startWithTokens(t *testing.T, tokens ...config.AttachToken) (router, weir.Config) {
	t.Helper()
	var started weir.Config
	r := startRouter(t, func(c *weir.Config) {
		c.Attach.Tokens = tokens
		started = *c
	})
	return r, *started.WithDefaults()
}

// ask asks to attach, and returns the router's answer.
func ask(t *testing.T, attach string, fields ...string) *http.Response {
	t.Helper()
	nc, err := net.Dial("tcp", attach)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	fmt.Fprintf(nc, "GET /.well-known/weir/attach HTTP/1.1\r\nHost: router\r\nConnection: upgrade\r\nUpgrade: ptth\r\nALPN: h2\r\n%s\r\n\r\n",
		strings.Join(fields, "\r\n"))
	answer, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func bearer(secret string) string { return "Authorization: Bearer " + secret }

// A keeper is a handler that holds requests until it is let go, or they are
// cancelled.
type keeper struct {
	held chan string // the method of each
	let  chan struct{}
}

func newKeeper() *keeper { return &keeper{make(chan string, 16), make(chan struct{})} }

func (k *keeper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.held <- r.Method
	select {
	case <-k.let:
		_, _ = io.WriteString(w, "kept")
	case <-r.Context().Done():
	}
}

func TestApply_SendsRequestsOfRevokedWorkersElsewhere(t *testing.T) {
	r, next := startWithTokens(t, token(tokenA), token(tokenB))
	k := newKeeper()
	attachBare(t, r.attach, 10, k, bearer(tokenA), "Weir-Instance: a")
	answers := map[string]chan string{"GET": make(chan string, 1), "POST": make(chan string, 1)}
	for method, answer := range answers {
		go func() { answer <- exchangeText(method, r.url+"/x") }()
		if held := <-k.held; held != method {
			t.Fatalf("the worker holds a %s, want a %s", held, method)
		}
	}
	attachBare(t, r.attach, 10, named("b"), bearer(tokenB), "Weir-Instance: b")
	r.awaitEndpoints(t, "default", 2)

	next.Attach.Tokens = []config.AttachToken{token(tokenB)}
	if err := r.Apply(next); err != nil {
		t.Fatal(err)
	}
	if text := <-answers["GET"]; text != "200 b /x" {
		t.Errorf("the GET that a revoked worker had was answered %q, want it repeated at b", text)
	}
	if text := <-answers["POST"]; !strings.HasPrefix(text, "502 ") {
		t.Errorf("the POST that a revoked worker had was answered %q, want 502: it cannot be repeated", text)
	}
	r.awaitEndpoints(t, "default", 1)
	if status := ask(t, r.attach, bearer(tokenA)).StatusCode; status != http.StatusUnauthorized {
		t.Errorf("the revoked worker came again and was answered %d, want 401", status)
	}
	if status, text := get(t, r.url+"/y"); status != 200 || text != "b /y" {
		t.Errorf("the worker that was not revoked answers %d %q", status, text)
	}
}

// exchangeText returns status and content of a request, or the error.
func exchangeText(method, url string) string {
	req, err := http.NewRequestWithContext(context.Background(), method, url, nil)
	if err != nil {
		return err.Error()
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return fmt.Sprintf("%d %s", resp.StatusCode, text)
}

func TestApply_TakesServicesAway(t *testing.T) {
	r, next := startWithTokens(t, token(tokenA, "default", "shop@v1"))
	attachBare(t, r.attach, 10, named("plain"), bearer(tokenA))
	attachBare(t, r.attach, 10, named("shop"), bearer(tokenA), "Weir-Service: shop", "Weir-Version: v1")
	r.awaitEndpoints(t, "default", 1)
	r.awaitEndpoints(t, "shop@v1", 1)
	next.Attach.Tokens = []config.AttachToken{token(tokenA, "default")}
	if err := r.Apply(next); err != nil {
		t.Fatal(err)
	}
	r.awaitEndpoints(t, "shop@v1", 0)
	if status := ask(t, r.attach, bearer(tokenA), "Weir-Service: shop", "Weir-Version: v1").StatusCode; status != http.StatusForbidden {
		t.Errorf("who may no longer serve shop@v1 came again and was answered %d, want 403", status)
	}
	if status, text := get(t, r.url+"/"); status != 200 || text != "plain /" {
		t.Errorf("what the token still allows answers %d %q", status, text)
	}
}

func TestApply_WithoutAnyTokenLetsInOnlyWhoComesWithoutOne(t *testing.T) {
	r, next := startWithTokens(t, token(tokenA))
	attachBare(t, r.attach, 10, named("a"), bearer(tokenA))
	r.awaitEndpoints(t, "default", 1)
	next.Attach.Tokens = nil
	if err := r.Apply(next); err != nil {
		t.Fatal(err)
	}
	r.awaitEndpoints(t, "default", 0)
	attachBare(t, r.attach, 10, named("anybody"))
	if status, text := get(t, r.url+"/"); status != 200 || text != "anybody /" {
		t.Errorf("without credentials, a worker of this machine answers %d %q", status, text)
	}
}

func TestApply_TellsOfOtherRouters(t *testing.T) {
	r, next := startWithTokens(t, token(tokenA))
	if told := ask(t, r.attach, bearer(tokenA)).Header.Get("Weir-Routers"); told != "" {
		t.Errorf("workers are told of %q, which nobody has configured", told)
	}
	next.Attach.Routers = []string{"https://two.example.com:7000", "https://three.example.com:7000"}
	if err := r.Apply(next); err != nil {
		t.Fatal(err)
	}
	next.Attach.Routers[0] = "changed later by its owner"
	if told := ask(t, r.attach, bearer(tokenA)).Header.Get("Weir-Routers"); told != "https://two.example.com:7000, https://three.example.com:7000" {
		t.Errorf("workers are told of %q", told)
	}
}

// pathsOf returns which keys an error is about.
func pathsOf(t *testing.T, err error) (paths []string) {
	t.Helper()
	var problems config.Problems
	if !errors.As(err, &problems) {
		t.Fatalf("the error is %v, want problems", err)
	}
	for _, p := range problems {
		paths = append(paths, p.Path)
	}
	return paths
}

func TestApply_NamesTheKeysThatNeedARestart(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(c *weir.Config)
		want   []string
	}{
		"a listener's address": {func(c *weir.Config) { c.Listeners[0].Address = "127.0.0.1:1" }, []string{"listeners[0].address"}},
		"one more listener": {func(c *weir.Config) {
			c.Listeners = append(c.Listeners, config.Listener{Address: "127.0.0.1:1"})
		}, []string{"listeners"}},
		"which upgrades pass": {func(c *weir.Config) { c.Listeners[0].Upgrades = []string{} }, []string{"listeners[0].upgrades"}},
		"the door's address":  {func(c *weir.Config) { c.Attach.Address = "127.0.0.1:1" }, []string{"attach.address"}},
		"a door less":         {func(c *weir.Config) { c.Attach = nil }, []string{"attach"}},
		"insecure":            {func(c *weir.Config) { c.Attach.Insecure = true }, []string{"attach.insecure"}},
		"the admin's address": {func(c *weir.Config) { c.Admin.Address = "127.0.0.1:1" }, []string{"admin.address"}},
		"no admin":            {func(c *weir.Config) { c.Admin = config.Admin{Off: true} }, []string{"admin"}},
		"an admin's token":    {func(c *weir.Config) { c.Admin.Token = "secret-secret-secret" }, []string{"admin.token"}},
		"metrics":             {func(c *weir.Config) { c.Metrics = &config.Metrics{Address: "127.0.0.1:1"} }, []string{"metrics"}},
		"a limit and a mode":  {func(c *weir.Config) { c.Limits.HeaderCount, c.Errors = 5, "verbose" }, []string{"limits.header_count", "errors"}},
	} {
		t.Run(name, func(t *testing.T) {
			r, next := startWithTokens(t, token(tokenA))
			next.Attach.Tokens = []config.AttachToken{token(tokenB)}
			tc.change(&next)
			err := r.Apply(next)
			if paths := pathsOf(t, err); !slices.Equal(paths, tc.want) {
				t.Errorf("it names %q, want %q", paths, tc.want)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error shows a secret: %v", err)
			}
			if status := ask(t, r.attach, bearer(tokenA)).StatusCode; status != http.StatusSwitchingProtocols {
				t.Errorf("the token that was in force is answered %d, want 101", status)
			}
			if status := ask(t, r.attach, bearer(tokenB)).StatusCode; status != http.StatusUnauthorized {
				t.Errorf("the token that was not taken over is answered %d, want 401", status)
			}
		})
	}
}

func TestApply_TakesWhatRunsForUnchanged(t *testing.T) {
	r, next := startWithTokens(t, token(tokenA))
	next.TrustedProxies = next.TrustedProxies[:0] // empty, or nil, is the same
	for range 2 {
		if err := r.Apply(next); err != nil {
			t.Fatalf("the configuration that runs is not taken: %v", err)
		}
	}
}

func TestApply_ChangesNothingWhenSomethingIsWrong(t *testing.T) {
	r, next := startWithTokens(t, token(tokenA))
	attachBare(t, r.attach, 10, named("a"), bearer(tokenA))
	r.awaitEndpoints(t, "default", 1)
	next.Attach.Tokens = []config.AttachToken{token(tokenB, "a b")}
	if paths := pathsOf(t, r.Apply(next)); !slices.Equal(paths, []string{"attach.tokens[0].services[0]"}) {
		t.Errorf("what is wrong is %q", paths)
	}
	if status, text := get(t, r.url+"/"); status != 200 || text != "a /" {
		t.Errorf("the worker answers %d %q after a configuration that is wrong", status, text)
	}
}

func TestApply_ChangesNothingWhenACertificateCannotBeRead(t *testing.T) {
	folder := t.TempDir()
	cert, key := filepath.Join(folder, "site.pem"), filepath.Join(folder, "site.key")
	writeCertificate(t, cert, key)
	var started weir.Config
	r := startRouter(t, func(c *weir.Config) {
		c.Listeners = append(c.Listeners, config.Listener{
			Address: "127.0.0.1:0", TLS: &config.ServerTLS{Certificates: []config.Certificate{{Cert: cert, Key: key}}},
		})
		c.Attach.Tokens = []config.AttachToken{token(tokenA)}
		started = *c
	})
	next := *started.WithDefaults()
	next.Attach.Tokens = []config.AttachToken{token(tokenB)}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if err := r.Apply(next); err == nil || !strings.Contains(err.Error(), "site.key") {
		t.Errorf("the error is %v, want one that names site.key", err)
	}
	if status := ask(t, r.attach, bearer(tokenA)).StatusCode; status != http.StatusSwitchingProtocols {
		t.Errorf("the token that was in force is answered %d, want 101", status)
	}
}

// writeCertificate writes a certificate and its key that nobody has to trust.
func writeCertificate(t *testing.T, cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Workers come while the rules change: who is attached afterwards is allowed to.
func TestApply_LetsNobodySlipIn(t *testing.T) {
	r, next := startWithTokens(t, token(tokenA), token(tokenB))
	var coming sync.WaitGroup
	stop := make(chan struct{})
	for i := range 4 {
		coming.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
					comeAndStay(t, r.attach, fmt.Sprintf("a%d-%d", i, n))
				}
			}
		})
	}
	for i := range 40 {
		next.Attach.Tokens = []config.AttachToken{token(tokenB)}
		if i%2 == 1 {
			next.Attach.Tokens = append(next.Attach.Tokens, token(tokenA))
		}
		if err := r.Apply(next); err != nil {
			t.Fatal(err)
		}
	}
	next.Attach.Tokens = []config.AttachToken{token(tokenB)}
	if err := r.Apply(next); err != nil {
		t.Fatal(err)
	}
	close(stop)
	coming.Wait()
	r.awaitEndpoints(t, "default", 0)
}

// comeAndStay attaches with token A, if it is let in, and says what makes a worker
// of the connection, which ends with the test.
func comeAndStay(t *testing.T, attach, instance string) {
	nc, err := net.Dial("tcp", attach)
	if err != nil {
		t.Error(err)
		return
	}
	t.Cleanup(func() { _ = nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(nc, "GET /.well-known/weir/attach HTTP/1.1\r\nHost: router\r\nConnection: upgrade\r\nUpgrade: ptth\r\nALPN: h2\r\n"+
		"%s\r\nWeir-Instance: %s\r\n\r\n", bearer(tokenA), instance)
	if _, err := bufio.NewReader(nc).ReadString('\n'); err != nil {
		return // cut off by a change of rules
	}
	_, _ = nc.Write([]byte{0, 0, 0, 4, 0, 0, 0, 0, 0}) // SETTINGS
}
