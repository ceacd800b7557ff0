package shape

import (
	"errors"
	"strings"
	"testing"

	"github.com/weirproxy/weir/internal/exchange"
)

func TestExpression_ReadsTheRequest(t *testing.T) {
	x := newExchange("X-User: ada", "Accept: a", "accept: b", "Cookie: s=1; t=\"2\"", "Cookie: u=3")
	x.Request.Header = append(x.Request.Header, exchange.Field{Name: []byte("Forwarded"), Value: []byte("for=evil"), Skip: true})
	x.Client.TLS, x.Client.Connection = true, secured()
	v := NewView(Outside{Capture: captured})
	v.Begin(x)
	v.Service = "web"
	for text, want := range map[string]string{
		`request.method`:                                               `"GET"`,
		`request.scheme + "://" + request.host`:                        `"https://shop.example"`,
		`request.path`:                                                 `"/a/b"`,
		`request.raw_query`:                                            `"x=1&y=a%20b&x=2"`,
		`request.query["x"] + request.query.y`:                         `"1a b"`,
		`request.query["absent"]`:                                      `""`,
		`request.queries["x"]`:                                         `["1","2"]`,
		`request.queries.absent`:                                       `[]`,
		`request.headers["x-user"]`:                                    `"ada"`,
		`request.headers["X-User"]`:                                    `"ada"`,
		`request.headers["accept"]`:                                    `"a, b"`,
		`request.header_lines["accept"]`:                               `["a","b"]`,
		`request.headers["forwarded"]`:                                 `""`,
		`request.headers["absent"] == ""`:                              `true`,
		`"x-user" in request.headers`:                                  `true`,
		`"absent" in request.headers`:                                  `false`,
		`has(request.headers.accept)`:                                  `true`,
		`has(request.headers.absent)`:                                  `false`,
		`has(request.query.x)`:                                         `true`,
		`size(request.headers)`:                                        `4`,
		`request.headers.map(h, h)`:                                    `["host","x-user","accept","cookie"]`,
		`request.headers.exists(h, h == "cookie")`:                     `true`,
		`request.headers`:                                              `{"accept":"a, b","cookie":"s=1; t=\"2\", u=3","host":"shop.example","x-user":"ada"}`,
		`request.cookies.s + request.cookies["t"] + request.cookies.u`: `"123"`,
		`request.client.address`:                                       `"192.0.2.7"`,
		`request.client.port`:                                          `5555`,
		`request.tls.on`:                                               `true`,
		`request.tls.version`:                                          `"1.3"`,
		`request.tls.client_sans`:                                      `["a.example"]`,
		`request.tls.client_subject`:                                   `"CN=ada"`,
		`request.id`:                                                   `"0192-01"`,
		`request.body`:                                                 `null`,
		`request.size`:                                                 `0`,
		`listener.address`:                                             `":8080"`,
		`hostname`:                                                     `"edge-1"`,
		`now`:                                                          `"2026-03-01T12:00:00Z"`,
		`now < timestamp("2027-01-01T00:00:00Z")`:                      `true`,
		`service + version`:                                            `"web"`,
		`captures.id + captures["absent"]`:                             `"42"`,
		`inCIDR(request.client.address, "192.0.2.0/24")`:               `true`,
		`inCIDR("nonsense", "192.0.2.0/24")`:                           `false`,
		`hash("a") == hash("a") && hash("a") != hash("b") && hash("a") >= 0`: `true`,
		`percent_encode("a b/ü~")`:                               `"a%20b%2F%C3%BC~"`,
		`percent_decode("a%20b+")`:                               `"a b+"`,
		`"A-b".lowerAscii().replace("-", "_")`:                   `"a_b"`,
		`["a","b"].join("-") + ["a"].join()`:                     `"a-ba"`,
		`["", ""].join("-")`:                                     `"-"`,
		`"aXbXc".replace("X", "", 1)`:                            `"abXc"`,
		`base64.encode(b"hi")`:                                   `"aGk="`,
		`json.encode({"a": [1]})`:                                `"{\"a\":[1]}"`,
		`json.encode(request.query)`:                             `"{\"x\":\"1\", \"y\":\"a b\"}"`,
		`"ab".reverse() + strings.quote("c") + "%d".format([1])`: `"ba\"c\"1"`,
		`request.headers == {"host": "x"}`:                       `false`,
		`request.query == {"x": "1", "y": "a b"}`:                `true`,
		`request.queries.x.exists(q, q == "2")`:                  `true`,
		`request{}`:                                              `does not compile: "request" is a variable, and no type to make values of`,
		`{"b": 1, "a": [1.5, true, null]}`:                       `{"a":[1.5,true,null],"b":1}`,
	} {
		if got := evaluate(t, v, text); strings.ReplaceAll(got, ", ", ",") != strings.ReplaceAll(want, ", ", ",") {
			t.Errorf("%s gives %s, want %s", text, got, want)
		}
	}
}

func TestExpression_ReadsTheResponse(t *testing.T) {
	x := newExchange()
	v := NewView(Outside{Endpoint: func() *Endpoint {
		return &Endpoint{Name: "e1", URL: "http://e1", Zone: "z", Labels: map[string]string{"k": "v"}}
	}})
	v.Begin(x)
	v.reply = response(201, []byte(`{"n": 9007199254740993, "f": 1.5, "l": [1, "a"]}`),
		"Content-Type: application/json", "Set-Cookie: a=1", "Set-Cookie: b=2")
	for text, want := range map[string]string{
		`response.status`:                          `201`,
		`response.status / 100 == 2`:               `true`,
		`response.headers["set-cookie"]`:           `"a=1"`,
		`response.header_lines["set-cookie"]`:      `["a=1","b=2"]`,
		`response.body.n`:                          `9007199254740993`,
		`response.body.f`:                          `1.5`,
		`response.body.l[1]`:                       `"a"`,
		`has(response.body.absent)`:                `false`,
		`endpoint.name + endpoint.zone`:            `"e1z"`,
		`endpoint.labels.k + endpoint.labels["x"]`: `"v"`,
		`endpoint.url + endpoint.version`:          `"http://e1"`,
	} {
		if got := evaluate(t, v, text); got != want {
			t.Errorf("%s gives %s, want %s", text, got, want)
		}
	}
}

// TestExpression_NeverOutgrowsItsBound: whatever an expression does, it ends soon,
// with a value of bounded size or an error.
func TestExpression_NeverOutgrowsItsBound(t *testing.T) {
	v := Borrow(newExchange("X-Long: " + strings.Repeat("a", 60<<10)))
	defer v.Release()
	long := `request.headers["x-long"]`
	for _, text := range []string{
		long + `.replace("", ` + long + `)`,
		`"aaaaaaaaaa"` + strings.Repeat(`.replace("a", "aaaaaaaaaa")`, 20),
		`[` + long + `, ` + long + `]` + strings.Repeat(`.map(x, x + x)`, 30) + `.join()`,
		`[[1]]` + strings.Repeat(`.map(x, x + x)`, 60) + `[0].size()`,
		`[1,2,3,4,5,6,7,8,9,10]` + strings.Repeat(`.map(x, [1,2,3,4,5,6,7,8,9,10].map(y, x))`, 1) + `.map(a, [1,2,3,4,5,6,7,8,9,0].map(b, [1,2,3,4,5,6,7,8,9,0].map(c, [1,2,3,4,5,6,7,8,9,0].map(d, [1,2,3,4,5,6,7,8,9,0].map(e, a + [e])))))`,
		long + `.matches("(a*)*b" + request.method)`,
		`"` + strings.Repeat("%s", 100) + `".format([` + strings.Repeat(long+",", 99) + `"a"])`,
		`[` + strings.Repeat(long+",", 40) + `""].join(` + long + `)`,
	} {
		e, err := compiler(t).Expression(text, RequestSide, Any)
		if err != nil {
			continue
		}
		out, err := e.AppendJSON(nil, v)
		if len(out) > 2*compiler(t).maxContent {
			t.Errorf("%.60s gives %d bytes, %v", text, len(out), err)
		}
	}
}

func TestExpression_CountsCost(t *testing.T) {
	c, err := New(Options{CostLimit: 100})
	if err != nil {
		t.Fatal(err)
	}
	e, err := c.Expression(`request.headers.exists(h, request.headers.exists(i, i + h == "x"))`, RequestSide, Bool)
	if err != nil {
		t.Fatal(err)
	}
	v := Borrow(newExchange("A: 1", "B: 1", "C: 1", "D: 1", "E: 1", "F: 1", "G: 1", "H: 1"))
	defer v.Release()
	_, err = e.Bool(v)
	var failed *EvalError
	if !errors.As(err, &failed) || failed.Reason != SkippedCost {
		t.Errorf("an evaluation over the limit gives %v", err)
	}
}

func TestExpression_KnowsWhoseContentItReads(t *testing.T) {
	for text, want := range map[string][sides]bool{
		`request.body.a == 1`:                          {true, false},
		`[request].map(r, r.body)[0] == response.body`: {true, true},
		`request.headers["body"] == ""`:                {false, false},
		`{"body": 1}.body`:                             {false, false},
	} {
		e, err := compiler(t).Expression(text, ResponseSide, Any)
		if err != nil {
			t.Fatal(err)
		}
		if got := [sides]bool{e.Reads(RequestSide), e.Reads(ResponseSide)}; got != want {
			t.Errorf("%s reads %v, want %v", text, got, want)
		}
	}
}

func TestExpression_HasOneFormAsText(t *testing.T) {
	v := Borrow(newExchange())
	defer v.Release()
	for text, want := range map[string]string{`"a"`: "a", `1 + 1`: "2", `1.5`: "1.5", `true`: "true", `request.method`: "GET", `3u`: "3"} {
		e, err := compiler(t).Expression(text, RequestSide, Text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := e.AppendText(nil, v); string(got) != want || err != nil {
			t.Errorf("%s is %q as text, %v; want %q", text, got, err, want)
		}
	}
}
