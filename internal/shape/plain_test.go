package shape

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/cel-go/common/types"

	"github.com/weirproxy/weir/internal/exchange"
)

// seen are exchanges in which much is there, or nothing is.
func seen() []*View {
	full := newExchange("X-User: ada", "Accept: a", "accept: b", "Cookie: s=1; t=\"2\"", "Cookie: u=3", "Empty: ")
	full.Request.Header = append(full.Request.Header, exchange.Field{Name: []byte("Forwarded"), Value: []byte("for=evil"), Skip: true})
	full.Client.TLS, full.Client.Connection = true, secured()
	bare := newExchange()
	bare.Request.Query, bare.Request.Path, bare.ID = nil, []byte("/"), nil
	bare.Client = exchange.Client{} // a Unix socket

	answered := NewView(Outside{Capture: captured, Endpoint: func() *Endpoint {
		return &Endpoint{Name: "e1", URL: "http://e1", Zone: "z", Labels: map[string]string{"k": "v"}}
	}})
	answered.Begin(full)
	answered.Service, answered.Version = "web", "2"
	answered.SetResponse(response(201, nil, "X-User: bob", "Set-Cookie: a=1", "Set-Cookie: b=2", "Host: other"))
	unknown := NewView(Outside{})
	unknown.Begin(bare)
	unknown.SetResponse(response(503, nil))
	return []*View{answered, unknown}
}

// agree evaluates an expression in both ways, if it is plain, and complains if they
// differ.
func agree(t testing.TB, v *View, e *Expression) (plain bool) {
	t.Helper()
	if text, ok := e.textOf(v); ok {
		plain = true
		got := string(text)
		want, err := e.eval(v)
		if err != nil || want != types.String(got) {
			t.Errorf("%s is plainly %q, and %v (%v) to CEL", e.text, got, want, err)
		}
	}
	if got, ok := e.truthOf(v); ok {
		plain = true
		want, err := e.eval(v)
		if err != nil || want != types.Bool(got) {
			t.Errorf("%s is plainly %v, and %v (%v) to CEL", e.text, got, want, err)
		}
	}
	if len(v.stack) != 0 {
		t.Errorf("%s leaves %q on the stack", e.text, v.stack)
	}
	return plain
}

func plainly(t testing.TB, text string) *Expression {
	t.Helper()
	e, err := compiler(t).Expression(text, ResponseSide, Any)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return e
}

// The parts of expressions that have to be plain: those of which nearly all are made.
var (
	plainTexts = []string{
		`"text"`, `""`, `hostname`, `service`, `version`, `request.method`, `request.scheme`, `request.host`, `request.path`,
		`request.raw_query`, `request.id`, `request.client.address`, `request.tls.version`, `request.tls.server_name`,
		`request.tls.client_subject`, `listener.address`, `endpoint.name`, `endpoint.url`, `endpoint.version`, `endpoint.zone`,
		`endpoint.labels.k`, `endpoint.labels["absent"]`, `request.headers.accept`, `request.headers["X-USER"]`,
		`request.headers.absent`, `request.headers.host`, `request.headers.forwarded`, `request.headers.empty`,
		`response.headers["x-user"]`, `response.headers["set-cookie"]`, `response.headers.host`, `request.query.x`,
		`request.query["y"]`, `request.query.absent`, `request.cookies.s`, `request.cookies.t`, `request.cookies.absent`,
		`captures.id`, `captures["absent"]`,
	}
	plainTruths = []string{
		`true`, `false`, `request.tls.on`, `listener.tls`, `"x-user" in request.headers`, `has(request.headers.accept)`,
		`has(request.query.absent)`, `"id" in captures`, `has(captures.absent)`, `has(request.cookies.s)`,
		`"k" in endpoint.labels`, `has(response.headers.host)`, `"accept" in request.header_lines`, `has(request.queries.x)`,
		`response.status == 201`, `response.status != 503`, `response.status >= 500`, `response.status < 300`,
		`request.size > 0`, `response.size <= 0`, `request.client.port == 5555`, `5 < response.status`,
	}
)

// composed is an expression of parts of that depth; a text, or true or false.
func composed(r *rand.Rand, depth int, truth bool) string {
	pick := func(of []string) string { return of[r.IntN(len(of))] }
	text := func() string { return composed(r, depth-1, false) }
	is := func() string { return composed(r, depth-1, true) }
	switch {
	case depth == 0 && truth:
		return pick(plainTruths)
	case depth == 0:
		return pick(plainTexts)
	case !truth && r.IntN(3) == 0:
		return fmt.Sprintf("(%s ? %s : %s)", is(), text(), text())
	case !truth:
		return fmt.Sprintf("(%s + %s)", text(), text())
	}
	switch r.IntN(4) {
	case 0:
		return fmt.Sprintf("%s.%s(%s)", text(), pick([]string{"startsWith", "endsWith", "contains"}), text())
	case 1:
		return fmt.Sprintf("!(%s)", is())
	case 2:
		return fmt.Sprintf("(%s %s %s)", is(), pick([]string{"&&", "||"}), is())
	}
	return fmt.Sprintf("(%s %s %s)", text(), pick([]string{"==", "!="}), text())
}

func TestPlain_IsWhatCELSays(t *testing.T) {
	views := seen()
	try := func(text string) {
		t.Helper()
		e := plainly(t, text)
		if e.constant != nil {
			return
		}
		for _, v := range views {
			if !agree(t, v, e) && e.plain == nil && len(text) < 400 {
				t.Errorf("%s is not plain", text)
			}
		}
	}
	for _, text := range append(plainTexts, plainTruths...) {
		try(text)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 3000 {
		try(composed(r, 1+i%3, i%2 == 0))
	}
}

func TestPlain_LeavesTheRestToCEL(t *testing.T) {
	for _, text := range []string{
		`request.body.a`, `request.headers`, `request.queries.x`, `response.status + 1`, `request.path.lowerAscii()`,
		`request.headers[request.path]`, `request.path < "b"`, `now`, `request.client`, `request.path.matches("a")`,
		`request.tls.client_sans == []`, `dyn(request.path) == 1`, `[request.path].exists(p, p == "a")`, `request == request`,
		`request.path + string(response.status)`, `request.path in ["a"]`,
	} {
		if e := plainly(t, text); e.plain != nil {
			t.Errorf("%s is taken for plain", text)
		}
	}
}

// TestPlain_NeedsTheResponse: while there is none, it is CEL that says so.
func TestPlain_NeedsTheResponse(t *testing.T) {
	v := Borrow(newExchange())
	defer v.Release()
	for _, text := range []string{`response.status == 200`, `response.headers.a == ""`, `has(response.headers.a)`} {
		if _, err := plainly(t, text).Bool(v); err == nil {
			t.Errorf("%s has a value without a response", text)
		}
	}
}

func TestPlain_AllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	v := seen()[0]
	e := plainly(t, `request.method == "GET" && request.headers["x-user"].startsWith("a") && request.query["x"] != ""`)
	f := plainly(t, `"by=" + listener.address + ";for=" + request.client.address + (request.tls.on ? ";proto=https" : "")`)
	dst := make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := e.Bool(v); err != nil {
			t.Fatal(err)
		}
		if _, err := f.AppendText(dst, v); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
