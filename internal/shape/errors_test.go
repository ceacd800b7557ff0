package shape

import (
	"fmt"
	"strings"
	"testing"
)

// TestSteps_SayWhatIsWrongAndWhere: each is one mistake; at is where in the
// expression the message points, as the text from there on.
func TestSteps_SayWhatIsWrongAndWhere(t *testing.T) {
	set := func(expr string) Step { return Step{Set: one("X", expr)} }
	for _, tc := range []struct {
		response bool
		step     Step
		path     string
		at       string // "-" if it is about no expression
		message  string
	}{
		{false, set(`request.hots`), "set.X", `.hots`, `request has no "hots"; did you mean "host"?`},
		{false, set(`request.zebra`), "set.X", `.zebra`, `request has no "zebra"; it has body, client, cookies,`},
		{false, set(`request.client.adress`), "set.X", `.adress`, `client has no "adress"; did you mean "address"?`},
		{false, set(`"a" + reqeust.host`), "set.X", `reqeust.host`, `there is no "reqeust"; did you mean "request"?`},
		{false, set(`webserver01`), "set.X", `webserver01`, `there is no "webserver01"; text stands in quotes, and the variables are captures, hostname,`},
		{false, set(`response.status`), "set.X", `response.status`, `there is no response yet when a request's steps are done; move this`},
		{false, set(`"ü" + endpoint.name`), "set.X", `endpoint.name`, `there is no endpoint yet`},
		{false, set("\"a\" +\n  \"é\" + nobody"), "set.X", `nobody`, `there is no "nobody"`},
		{false, set(`lowerAsci("a")`), "set.X", `("a")`, `there is no function "lowerAsci"; did you mean "lowerAscii"?`},
		{false, set(`"a".uper()`), "set.X", `()`, `there is no function "uper"`},
		{false, set(`inCIDR("a")`), "set.X", `("a")`, `inCIDR does not take text`},
		{false, set(`"a" + 1`), "set.X", `+ 1`, `+ does not take text and a number; string(…) makes text`},
		{false, set(`request.path == 1`), "set.X", `== 1`, `== does not take text and a number`},
		{false, set(`!request.path`), "set.X", `!request`, `! does not take text`},
		{false, set(`request.path.x`), "set.X", `.x`, `this is text, which has no fields`},
		{false, set(`request.headers`), "set.X", `request.headers`, `set wants text, a list of texts, a number or a bool; this is a map`},
		{false, set(`request`), "set.X", `request`, `this is the request as a whole`},
		{false, set(`now`), "set.X", `now`, `this is a time (string(…) makes text of it)`},
		{false, set(`null`), "set.X", `null`, `this is null`},
		{false, set(`[1, 2]`), "set.X", `[1`, `this is a list`},
		{false, Step{Append: one("X", `["a"]`)}, "append.X", `["a"]`, `append wants text, a number or a bool; this is a list`},
		{false, set(``), "set.X", ``, `the expression is empty`},
		{false, set(`"a" +`), "set.X", ``, `the expression ends too early`},
		{false, set(`"a`), "set.X", `"a`, `this is not a sound expression`},
		{false, set(`a b`), "set.X", `b`, `this is not a sound expression: extraneous input 'b'`},
		{false, set(`"a\r\nb"`), "set.X", `"a\r\nb"`, `this fails always: the value has a line break`},
		{false, set(`string(1 / 0)`), "set.X", `string(1 / 0)`, `this fails always: division by zero`},
		{false, set(`request.path.matches("(")`), "set.X", ``, `error parsing regexp`},
		{false, set(`captures.map(c, c)`), "set.X", `captures`, `captures can only be read by name`},
		{false, Step{If: `request.path`, Set: one("X", `"1"`)}, "if", `request.path`, `if wants true or false; this is text`},
		{false, Step{Set: one("Host", `"x"`)}, "set.Host", "-", `use rewrite.host`},
		{false, Step{Set: one("content-length", `1`)}, "set.content-length", "-", `follows from the content`},
		{false, Step{Add: one("Transfer-Encoding", `"x"`)}, "add.Transfer-Encoding", "-", `follows from the content`},
		{false, Step{Set: one("Trailer", `"x"`)}, "set.Trailer", "-", `follows from the content`},
		{false, Step{Append: one("Connection", `"x"`)}, "append.Connection", "-", `not passed on`},
		{false, Step{Set: one("TE", `"x"`)}, "set.TE", "-", `not passed on`},
		{false, Step{Set: one("Upgrade", `"x"`)}, "set.Upgrade", "-", `not passed on`},
		{false, Step{Set: one("Expect", `"x"`)}, "set.Expect", "-", `cannot be changed`},
		{false, Step{Set: one("X Y", `"x"`)}, "set.X Y", "-", `is not the name of a field`},
		{false, Step{Set: one(":path", `"x"`)}, "set.:path", "-", `is not the name of a field`},
		{false, Step{Remove: []string{"Keep-Alive"}}, "remove.Keep-Alive", "-", `not passed on`},
		{false, Step{Let: one("request", `1`)}, "let.request", "-", `is a variable of every expression`},
		{false, Step{Let: one("in", `1`)}, "let.in", "-", `is a word of the language`},
		{false, Step{Let: one("a-b", `1`)}, "let.a-b", "-", `letters, digits and _`},
		{false, Step{Let: []Named{{"a", `1`}, {"a", `2`}}}, "let.a", "-", `has a value already`},
		{false, Step{JSON: &JSON{Set: one("$.a", `1`)}}, "json.set.$.a", "-", `without "$"`},
		{false, Step{JSON: &JSON{Set: one("a[0]", `1`)}}, "json.set.a[0]", "-", `written with a dot`},
		{false, Step{JSON: &JSON{Set: one(".", `1`)}}, "json.set..", "-", `can only be merged into`},
		{false, Step{JSON: &JSON{Remove: []string{"a..b"}}}, "json.remove.a..b", "-", `segment of the path is empty`},
		{false, Step{JSON: &JSON{Merge: one("a", `"text"`)}}, "json.merge.a", `"text"`, `merge wants a map; this is text`},
		{false, Step{JSON: &JSON{}}, "json", "-", `json changes nothing`},
		{false, Step{}, "", "-", `this step does nothing`},
		{false, Step{If: `true`}, "", "-", `this step does nothing`},
		{false, Step{Then: []Step{set(`"1"`)}}, "", "-", `then and else need an if`},
		{false, Step{Set: one("X", `"1"`), Errors: true}, "errors", "-", `errors is for steps of responses`},
		{false, Step{Rewrite: &Rewrite{}}, "rewrite", "-", `rewrite changes nothing`},
		{false, Step{Rewrite: &Rewrite{Path: `"no/slash"`}}, "rewrite.path", `"no/slash"`, `this fails always: a path begins with "/"`},
		{false, Step{Rewrite: &Rewrite{Path: `"/a/../b"`}}, "rewrite.path", `"/a`, `no . or .. segments`},
		{false, Step{Rewrite: &Rewrite{Method: `"HEAD"`}}, "rewrite.method", `"HEAD"`, `neither become HEAD nor cease`},
		{false, Step{Rewrite: &Rewrite{Host: `"a b"`}}, "rewrite.host", `"a b"`, `this is not a host`},
		{false, Step{Respond: &Respond{Status: `"abc"`}}, "respond.status", `"abc"`, `is not a number`},
		{false, Step{Respond: &Respond{Status: `100`}}, "respond.status", `100`, `is not from 200 to 599`},
		{false, Step{Respond: &Respond{Headers: one("Connection", `"x"`)}}, "respond.headers.Connection", "-", `not passed on`},
		{false, Step{Redirect: &Redirect{}}, "redirect", "-", `redirect needs to`},
		{false, Step{Redirect: &Redirect{To: `"/"`, Status: `200`}}, "redirect.status", `200`, `not that of a redirect`},
		{false, Step{Redirect: &Redirect{To: `"/"`}, Respond: &Respond{}}, "", "-", `can do one of them`},
		{false, Step{Route: `1`}, "route", `1`, `route wants text; this is a number`},
		{false, Step{Route: `"a@"`}, "route", `"a@"`, `a route is name or name@version`},
		{true, Step{Rewrite: &Rewrite{Path: `"/"`}}, "rewrite", "-", `rewrite is for steps of requests`},
		{true, Step{Redirect: &Redirect{To: `"/"`}}, "redirect", "-", `redirect is for steps of requests`},
		{true, Step{Route: `"a"`}, "route", "-", `route is for steps of requests`},
		{true, set(`response.statsu`), "set.X", `.statsu`, `response has no "statsu"; did you mean "status"?`},
	} {
		side := map[bool]string{false: "request", true: "response"}[tc.response]
		t.Run(fmt.Sprintf("%s %s", side, tc.message), func(t *testing.T) {
			// It stands inside another step, to see that paths lead there.
			steps := []Step{{Set: one("A", `"1"`)}, {If: "1 > 0", Then: []Step{tc.step}}}
			request, response := steps, []Step(nil)
			if tc.response {
				request, response = nil, steps
			}
			_, err := compiler(t).Steps(request, response, false)
			all := allErrors(err)
			if len(all) == 0 {
				t.Fatalf("%+v compiles", tc.step)
			}
			path := side + "[1].then[0]"
			if tc.path != "" {
				path += "." + tc.path
			}
			e := find(all, path)
			if e == nil || !strings.Contains(e.Message, tc.message) {
				t.Fatalf("the errors are %v, want %q at %q", err, tc.message, tc.path)
			}
			if text := exprOf(tc.step); tc.at == "-" && e.Offset != -1 || tc.at != "-" && !strings.HasPrefix(text[max(e.Offset, 0):], tc.at) {
				t.Errorf("%q points at %d of %q", e.Message, e.Offset, text)
			}
		})
	}
}

func find(all []*Error, path string) *Error {
	for _, e := range all {
		if e.Path == path {
			return e
		}
	}
	return nil
}

// exprOf returns the one expression of a step that is wrong.
func exprOf(s Step) string {
	for _, text := range []string{s.If, s.Route} {
		if text != "" {
			return text
		}
	}
	named := append(append(append(s.Let, s.Set...), s.Add...), s.Append...)
	if s.JSON != nil {
		named = append(append(named, s.JSON.Set...), s.JSON.Merge...)
	}
	for _, n := range named {
		return n.Expr
	}
	switch {
	case s.Rewrite != nil:
		return s.Rewrite.Path + s.Rewrite.Query + s.Rewrite.Host + s.Rewrite.Method
	case s.Respond != nil:
		return s.Respond.Status + s.Respond.Body
	case s.Redirect != nil:
		return s.Redirect.Status
	}
	return ""
}

func TestSteps_SayAllThatIsWrong(t *testing.T) {
	_, err := compiler(t).Steps(
		[]Step{{Set: []Named{{"A", `nobody`}, {"B", `1 +`}}}, {}},
		[]Step{{Set: one("C", `request.x`)}}, false)
	var paths []string
	for _, e := range allErrors(err) {
		paths = append(paths, e.Path)
	}
	if got := strings.Join(paths, " "); got != "request[0].set.A request[0].set.B request[1] response[0].set.C" {
		t.Errorf("errors are at %s", got)
	}
}

// TestSteps_ComplainOnce: of a name whose expression is wrong, not of those that
// use it.
func TestSteps_ComplainOnce(t *testing.T) {
	_, err := compiler(t).Steps([]Step{{Let: one("a", `nobody`)}, {Set: one("X", `a`)}}, nil, false)
	if all := allErrors(err); len(all) != 1 {
		t.Errorf("the errors are %v", err)
	}
}

func TestSteps_NamesEndWithTheirCondition(t *testing.T) {
	_, err := compiler(t).Steps([]Step{{If: `1 > 0`, Let: one("a", `"1"`), Set: one("X", `a`)}, {Set: one("Y", `a`)}}, nil, false)
	if all := allErrors(err); len(all) != 1 || all[0].Path != "request[1].set.Y" {
		t.Errorf("the errors are %v", err)
	}
}
