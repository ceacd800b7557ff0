package shape

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/weirproxy/weir/internal/exchange"
)

func TestSteps_ChangeFieldsInTheirPlace(t *testing.T) {
	x := newExchange("A: 1", "B: 1", "a: 2", "C: 1", "D: 1", "D: 2")
	on(t, x,
		Step{Set: one("a", `"new"`)},
		Step{Add: one("B", `["2", "3"]`)},
		Step{Append: []Named{{"C", `1 + 1`}, {"E", `true`}}},
		Step{Remove: []string{"d"}},
		Step{Set: one("List", `["x", "y"]`)},
	)
	want := "Host: shop.example\nA: new\nB: 1\nC: 1, 2\nB: 2\nB: 3\nE: true\nList: x\nList: y\n"
	if got := lines(x.Request.Header); got != want {
		t.Errorf("the fields are\n%swant\n%s", got, want)
	}
}

// TestSteps_AreStrongerThanThePeer: a field that is not passed on, because its
// sender may not say it or has named it in Connection, is passed on once a step
// sets it, with the step's value alone.
func TestSteps_AreStrongerThanThePeer(t *testing.T) {
	x := newExchange("Forwarded: for=evil", "Forwarded: for=worse")
	for i := range x.Request.Header[1:] {
		x.Request.Header[i+1].Skip = true
	}
	on(t, x, Step{Append: one("Forwarded", `"for=me"`)})
	if got := lines(x.Request.Header); got != "Host: shop.example\nForwarded: for=me\n" {
		t.Errorf("the fields are\n%s", got)
	}
	on(t, x, Step{Set: one("Forwarded", `"for=you"`)})
	if got := lines(x.Request.Header); got != "Host: shop.example\nForwarded: for=you\n" {
		t.Errorf("the fields are\n%s", got)
	}
}

func TestSteps_GoByTheirCondition(t *testing.T) {
	x := newExchange()
	on(t, x,
		Step{If: `request.method == "GET"`, Set: one("A", `"yes"`), Then: []Step{{Set: one("B", `"then"`)}}, Else: []Step{{Set: one("C", `"else"`)}}},
		Step{If: `request.method == "PUT"`, Set: one("D", `"yes"`), Then: []Step{{Set: one("E", `"then"`)}}, Else: []Step{{Set: one("F", `"else"`)}}},
	)
	if got := lines(x.Request.Header); got != "Host: shop.example\nA: yes\nB: then\nF: else\n" {
		t.Errorf("the fields are\n%s", got)
	}
}

func TestSteps_NameValues(t *testing.T) {
	x := newExchange("X-User: ada")
	p := mustSteps(t,
		[]Step{
			{Let: []Named{{"user", `request.headers["x-user"]`}, {"greeting", `"hello " + user`}, {"all", `[user, "b"]`}}},
			{If: `user == "ada"`, Let: one("inner", `user + "!"`), Set: one("G", `greeting + inner`)},
		},
		[]Step{{Set: []Named{{"G", `greeting + string(size(all))`}}}},
	)
	v := Borrow(x)
	defer v.Release()
	if _, err := p.Request(v); err != nil {
		t.Fatal(err)
	}
	x.Request.Header = nil // what was named stays as it was
	resp := response(200, nil)
	if err := p.Response(v, resp); err != nil {
		t.Fatal(err)
	}
	if got := lines(resp.Header); got != "G: hello ada2\n" || p.Skipped().Total() != 0 {
		t.Errorf("the response has\n%s and %d steps were skipped", got, p.Skipped().Total())
	}
}

func TestSteps_ValueThatIsMissingSkipsTheStep(t *testing.T) {
	x := newExchange()
	_, p := on(t, x,
		Step{Let: one("user", `request.body.user`)}, // there is no content
		Step{Set: one("X-User", `user`)},
		Step{Set: one("Still", `"here"`)},
	)
	if got := lines(x.Request.Header); got != "Host: shop.example\nStill: here\n" {
		t.Errorf("the fields are\n%s", got)
	}
	if c := p.Skipped(); c.Of(SkippedError) != 2 || c.Total() != 2 {
		t.Errorf("the counts are %v", c)
	}
}

func TestSteps_FailClosed(t *testing.T) {
	p, err := compiler(t).Steps([]Step{{Set: one("A", `"a"`)}, {If: `true`, Then: []Step{{Set: one("B", `string(1 / (size(request.path) - 4))`)}}}}, nil, true)
	if err != nil {
		t.Fatal(err)
	}
	v := Borrow(newExchange())
	defer v.Release()
	_, err = p.Request(v)
	var failed *EvalError
	if !errors.As(err, &failed) || failed.Path != "request[1].then[0]" || !strings.Contains(err.Error(), "division by zero") {
		t.Errorf("the error is %v", err)
	}
}

func TestSteps_Rewrite(t *testing.T) {
	x := newExchange()
	on(t, x, Step{Rewrite: &Rewrite{Path: `"/v2" + request.path`, Query: `"v=" + request.query.x`, Host: `"b.example:81"`, Method: `"PUT"`}},
		Step{Set: one("Seen", `request.method + " " + request.headers["host"] + request.path + "?" + request.raw_query`)})
	r := &x.Request
	if string(r.Path) != "/v2/a/b" || string(r.Query) != "v=1" || string(r.Authority) != "b.example:81" ||
		string(r.MethodName) != "PUT" || r.Method != exchange.MethodPut {
		t.Errorf("the request is %s %s%s?%s", r.MethodName, r.Authority, r.Path, r.Query)
	}
	if got, _ := r.Header.Lookup("seen"); string(got) != "PUT b.example:81/v2/a/b?v=1" {
		t.Errorf("later expressions see %s", got)
	}
	on(t, x, Step{Rewrite: &Rewrite{Query: `""`}})
	if r.HasQuery || len(r.Query) > 0 {
		t.Errorf("an empty query is ?%s", r.Query)
	}
}

// TestSteps_RefuseWhatWouldBeReadDifferently: no value, wherever it comes from,
// ends a line, adds one, or leads to another path than it seems to.
func TestSteps_RefuseWhatWouldBeReadDifferently(t *testing.T) {
	hostile := []string{"a\r\nX-Evil: 1", "a\nb", "a\rb", "a\x00b", "\x7f", "a\r\n\r\nHTTP/1.1 200 OK"}
	for _, text := range hostile {
		x := newExchange()
		x.Request.Query = []byte("v=" + percentEncode(types.String(text)).Value().(string))
		before := lines(x.Request.Header)
		verdict, p := on(t, x,
			Step{Set: one("A", `request.query.v`)}, Step{Add: one("A", `request.query.v`)}, Step{Append: one("A", `request.query.v`)},
			Step{Set: one("A", `[request.query.v]`)},
			Step{Rewrite: &Rewrite{Path: `"/" + request.query.v`}}, Step{Rewrite: &Rewrite{Query: `request.query.v`}},
			Step{Rewrite: &Rewrite{Host: `request.query.v`}}, Step{Rewrite: &Rewrite{Method: `request.query.v`}},
			Step{Redirect: &Redirect{To: `request.query.v`}},
			Step{Respond: &Respond{Headers: one("A", `request.query.v`)}},
			Step{Respond: &Respond{ContentType: `request.query.v`}},
		)
		if verdict.Response != nil || lines(x.Request.Header) != before || string(x.Request.Path) != "/a/b" ||
			string(x.Request.MethodName) != "GET" || string(x.Request.Authority) != "shop.example" {
			t.Errorf("%q gets through: %+v", text, x.Request)
		}
		if n := p.Skipped().Of(SkippedError); n != 11 {
			t.Errorf("of 11 steps with %q %d were skipped", text, n)
		}
		resp := response(200, nil)
		onResponse(t, x, resp, Step{Set: one("A", `request.query.v`)}, Step{Respond: &Respond{ContentType: `request.query.v`}})
		if lines(resp.Header) != "" {
			t.Errorf("%q gets into the response: %s", text, lines(resp.Header))
		}
	}
	for _, path := range []string{"a", "/a/../b", "/a/%2e%2E/b", "/.", "/a?b", "/a#b", "/a b", "/%zz", "/ü", ""} {
		x := newExchange("P: " + path)
		on(t, x, Step{Rewrite: &Rewrite{Path: `request.headers.p`}})
		if string(x.Request.Path) != "/a/b" {
			t.Errorf("the path becomes %q", x.Request.Path)
		}
	}
	for _, method := range []string{"HEAD", "CONNECT", "TRACE", "", "G T"} {
		x := newExchange("M: " + method)
		on(t, x, Step{Rewrite: &Rewrite{Method: `request.headers.m`}})
		if string(x.Request.MethodName) != "GET" {
			t.Errorf("the method becomes %q", x.Request.MethodName)
		}
	}
	x := newExchange()
	x.Request.MethodName, x.Request.Method = []byte("HEAD"), exchange.MethodHead
	on(t, x, Step{Rewrite: &Rewrite{Method: `"GET"`}})
	if x.Request.Method != exchange.MethodHead {
		t.Error("HEAD becomes GET, whose answer its client would not read to the end")
	}
}

func TestSteps_Respond(t *testing.T) {
	verdict, _ := on(t, newExchange(),
		Step{Respond: &Respond{Status: `"403"`, Body: `"no: " + request.path`, Headers: []Named{{"X-A", `"1"`}, {"Content-Type", `"text/html"`}}}},
		Step{Set: one("Never", `"done"`)})
	r := verdict.Response
	if r == nil || r.Status != 403 || string(r.Reason) != "Forbidden" || readAll(t, r.Body) != "no: /a/b" || r.Length != 8 {
		t.Fatalf("the answer is %+v", r)
	}
	if got := lines(r.Header); got != "Content-Type: text/html\nContent-Length: 8\nDate: Sun, 01 Mar 2026 12:00:00 GMT\nX-A: 1\n" {
		t.Errorf("its fields are\n%s", got)
	}
	verdict, _ = on(t, newExchange(), Step{Respond: &Respond{Body: `{"path": request.path}`}})
	if got, _ := verdict.Response.Header.Get(exchange.FieldContentType); string(got) != "application/json" || readAll(t, verdict.Response.Body) != `{"path":"/a/b"}` {
		t.Errorf("a map is answered as %s", got)
	}
}

func TestSteps_RespondHasNoContentWhereNoneMayBe(t *testing.T) {
	head := newExchange()
	head.Request.MethodName, head.Request.Method = []byte("HEAD"), exchange.MethodHead
	verdict, _ := on(t, head, Step{Respond: &Respond{Body: `"four"`}})
	if r := verdict.Response; r.Body != nil || r.Length != 0 || !strings.Contains(lines(r.Header), "Content-Length: 4\n") {
		t.Errorf("to HEAD the answer is %+v", r)
	}
	verdict, _ = on(t, newExchange(), Step{Respond: &Respond{Status: `204`, Body: `"four"`}})
	if r := verdict.Response; r.Body != nil || r.Length != 0 || strings.Contains(lines(r.Header), "Content-Length") {
		t.Errorf("with 204 the answer is %+v", r)
	}
}

func TestSteps_RespondReplacesAResponse(t *testing.T) {
	resp := response(500, []byte("secret"), "Server: x", "Content-Type: text/plain")
	onResponse(t, newExchange(), resp, Step{If: `response.status >= 500`, Respond: &Respond{Status: `503`, Body: `"sorry"`}})
	if resp.Status != 503 || readAll(t, resp.Body) != "sorry" || strings.Contains(lines(resp.Header), "Server") {
		t.Errorf("the response is %d\n%s", resp.Status, lines(resp.Header))
	}
}

func TestSteps_Redirect(t *testing.T) {
	verdict, _ := on(t, newExchange(), Step{Redirect: &Redirect{To: `"https://" + request.host + request.path + "#top"`, Status: `308`}})
	if r := verdict.Response; r == nil || r.Status != 308 || !strings.Contains(lines(r.Header), "Location: https://shop.example/a/b#top\n") || r.Body != nil {
		t.Errorf("the answer is %+v", r)
	}
}

func TestSteps_Route(t *testing.T) {
	verdict, _ := on(t, newExchange("X: blue@v2"), Step{Route: `request.headers.x`}, Step{Set: one("A", `"1"`)})
	if verdict.Service != "blue" || verdict.Version != "v2" || verdict.Response != nil {
		t.Errorf("the verdict is %+v", verdict)
	}
	verdict, p := on(t, newExchange("X: @v2"), Step{Route: `request.headers.x`})
	if verdict.Service != "" || p.Skipped().Of(SkippedError) != 1 {
		t.Errorf("a route without a name gives %+v", verdict)
	}
}

func TestSteps_OfOwnErrors(t *testing.T) {
	p := mustSteps(t, nil, []Step{{Set: one("A", `"1"`)}, {Errors: true, Set: one("B", `string(response.status)`)}})
	v := Borrow(newExchange())
	defer v.Release()
	resp := response(503, nil)
	if err := p.OwnResponse(v, resp); err != nil || lines(resp.Header) != "B: 503\n" {
		t.Errorf("an error of Weir's own has %s, %v", lines(resp.Header), err)
	}
}

func TestView_ShowsNothingOfTheExchangeBefore(t *testing.T) {
	p := mustSteps(t, []Step{{If: `request.headers.x == "1"`, Let: one("inner", `"secret"`), Set: one("Y", `inner`)}, {Let: one("z", `request.path + service`)}}, nil)
	for i := range 3 {
		x := newExchange("X: 1")
		x.Request.Path = []byte("/" + itoa(i))
		v := Borrow(x)
		if _, err := p.Request(v); err != nil {
			t.Fatal(err)
		}
		if got := evaluate(t, v, `request.path + request.host`); got != `"/`+itoa(i)+`shop.example"` {
			t.Errorf("exchange %d sees %s", i, got)
		}
		v.Release()
		if v.Exchange != nil || v.cache != [cached]ref.Val{} {
			t.Error("a View that was given back keeps what it saw")
		}
	}
}

// TestView_SeesWhatHasChangedSince: a route's prefix is taken away, and a service
// chosen, between one expression and the next; a try fails and another follows.
func TestView_SeesWhatHasChangedSince(t *testing.T) {
	x := newExchange()
	v := Borrow(x)
	defer v.Release()
	for _, path := range []string{"/a/b", "/b"} {
		x.Request.Path, v.Service = []byte(path), path[1:]
		if got := evaluate(t, v, `request.path + service`); got != `"`+path+path[1:]+`"` {
			t.Errorf("of %s expressions see %s", path, got)
		}
	}
	resp := new(exchange.Response)
	for _, status := range []int{503, 200} {
		*resp = *response(status, []byte(`{"s":`+itoa(status)+`}`), "Content-Type: application/json")
		v.SetResponse(resp)
		if got := evaluate(t, v, `[response.status, response.body.s]`); got != "["+itoa(status)+","+itoa(status)+"]" {
			t.Errorf("of the try with %d expressions see %s", status, got)
		}
	}
}

func TestProgram_TakesNoMemoryForWhatIsConstant(t *testing.T) {
	p := mustSteps(t, []Step{{Set: []Named{{"A", `"1"`}, {"B", `"1.1 " + hostname`}}, Remove: []string{"C"}}}, nil)
	x := newExchange("A: a", "B: b", "C: c")
	if n := testing.AllocsPerRun(100, func() {
		v := Borrow(x)
		_, _ = p.Request(v)
		v.Release()
	}); n > 0 && !raceEnabled {
		t.Errorf("steps that are constant allocate %.0f times", n)
	}
}

func TestProgram_TakesNoMemoryForWhatIsPlain(t *testing.T) {
	p := usual(t)
	x := newExchange("Accept: */*", "User-Agent: curl/8")
	x.Scratch = make([]byte, 0, 1024)
	x.Request.Header = append(x.Request.Header, make(exchange.Header, 8)...)[:3]
	if n := testing.AllocsPerRun(100, func() {
		x.Request.Header, x.Scratch = x.Request.Header[:3], x.Scratch[:0]
		v := Borrow(x)
		_, _ = p.Request(v)
		v.Release()
	}); n > 0 && !raceEnabled {
		t.Errorf("three fields and a condition allocate %.0f times", n)
	}
}
