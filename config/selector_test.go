package config

import "testing"

func TestParseSelector_KnowsEveryPartOfARequest(t *testing.T) {
	for in, want := range map[string]Selector{
		`request.headers["x-user"]`:  {SelectHeader, "x-user"},
		`request.headers['X-User']`:  {SelectHeader, "X-User"},
		`request.cookies["session"]`: {SelectCookie, "session"},
		`request.query["user id"]`:   {SelectQuery, "user id"},
		`request.query["it's[1]=ü"]`: {SelectQuery, "it's[1]=ü"},
		`request.query['"']`:         {SelectQuery, `"`},
		`request.path`:               {SelectPath, ""},
		`request.host`:               {SelectHost, ""},
		`client.address`:             {SelectClient, ""},
	} {
		got, err := ParseSelector(in)
		if got != want || err != nil {
			t.Errorf("%s is %+v, want %+v (%v)", in, got, want, err)
		}
	}
}

func TestParseSelector_RefusesWhatIsNone(t *testing.T) {
	for _, in := range []string{
		"", "[", "request", "request.headers", "request.headers[]", `request.headers[""]`, `request.headers["a`, `request.headers["]`, `request.headers["a"`,
		`request.headers["a']`, `request.headers["a"]]`, `request.headers["a"] `, `request.headers["a:b"]`, `request.cookies["a=b"]`, `request.query[""]`,
		`request.query["a"b"]`, `request.path["a"]`, "Request.path", "client.port",
	} {
		if got, err := ParseSelector(in); err == nil {
			t.Errorf("%s was read as %+v", in, got)
		}
	}
}
