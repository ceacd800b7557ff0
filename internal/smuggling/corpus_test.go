package smuggling

import (
	"slices"
	"strings"
	"testing"
)

func TestRequestCorpus_IsLarge(t *testing.T) {
	cases, err := Cases()
	if err != nil {
		t.Fatal(err)
	}
	classes := map[string]int{}
	for _, c := range cases {
		class, _, _ := strings.Cut(c.Name, "/")
		classes[class]++
	}
	t.Logf("%d requests: %v", len(cases), classes)
	if len(cases) < 300 {
		t.Errorf("only %d cases: have some been lost?", len(cases))
	}
}

func TestResponseCorpus_IsLarge(t *testing.T) {
	cases, err := ResponseCases()
	if err != nil || len(cases) < 90 {
		t.Errorf("only %d cases, %v", len(cases), err)
	}
}

func TestDecode_ReplacesEscapesAndDropsLineEnds(t *testing.T) {
	for text, want := range map[string]string{
		"a\\r\\n\nb\n":     "a\r\nb",
		`\x00\xff\t\\`:     "\x00\xff\t\\",
		`\{3 ab}c`:         "abababc",
		`\{2 x\r\n}`:       "x\r\nx\r\n",
		"no line ends\n\n": "no line ends",
	} {
		if got, err := decode([]byte(text)); err != nil || string(got) != want {
			t.Errorf("decode(%q) is %q, %v; want %q", text, got, err, want)
		}
	}
	for _, text := range []string{`\`, `\q`, `\{x y}`, `\{2`} {
		if got, err := decode([]byte(text)); err == nil {
			t.Errorf("decode(%q) is %q, not an error", text, got)
		}
	}
}

func TestCheckWire(t *testing.T) {
	const get, post = "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\n"
	for _, test := range []struct {
		data  string
		whole bool
		wrong string
	}{
		{get + get, true, ""},
		{get + get[:9], false, ""},
		{post + "Content-Length: 5\r\n\r\nhello" + get, true, ""},
		{post + "Content-Length: 5\r\n\r\nhel", false, ""},
		{post + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n" + get, true, ""},
		{post + "Upgrade: websocket\r\n\r\n\x81\x00", true, ""},
		{"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", false, "request line"},
		{"GET / HTTP/1.0\r\nHost: a\r\n\r\n", false, "request line"},
		{"GET / HTTP/1.1\r\n\r\n", false, "field line"},
		{"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", false, "2 Host"},
		{"GET / HTTP/1.1\r\nHost: a\r\nX: y\nZ: 1\r\n\r\n", false, "field line"},
		{"GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", false, "field line"},
		{"GET / HTTP/1.1\r\nHost: a\r\nX:  y\r\n\r\n", false, "field line"},
		{post + "Content-Length: 05\r\n\r\nhello", false, "field line"},
		{post + "Transfer-Encoding: Chunked\r\n\r\n", false, "field line"},
		{post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", false, "1 Content-Length, 1 Transfer"},
		{post + "Transfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n", false, "chunk size"},
		{post + "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n", false, "behind a chunk"},
		{post + "Transfer-Encoding: chunked\r\n\r\n0\r\nX\r\n\r\n", false, "trailer line"},
	} {
		whole, err := CheckWire([]byte(test.data))
		if whole != test.whole || (err == nil) != (test.wrong == "") || err != nil && !strings.Contains(err.Error(), test.wrong) {
			t.Errorf("%q: %v, %v", test.data, whole, err)
		}
	}
}

// The judge finds what it is there to find.
func TestJudge_Complains(t *testing.T) {
	c := &Case{
		Steps: [][]byte{[]byte("GET /a HTTP/1.1\r\nConnection: X-One\r\n\r\n")},
		Want:  []Expected{{Method: "GET", Target: "/a", Host: "a", Has: []Field{{"X", "y"}}}},
	}
	header := func(more ...string) map[string][]string {
		h := map[string][]string{"X-Forwarded-For": {"c"}, "X-Forwarded-Proto": {"http"}, "X": {"y"}}
		for _, name := range more {
			h[name] = append(h[name], "evil")
		}
		return h
	}
	good := []Answer{{Status: 200, Seen: "1"}}
	message := func(m Message) []*Message { m.Serial = "1"; return []*Message{&m} }
	whole := Message{Method: "GET", Target: "/a", Host: "a", Header: header()}
	with := func(change func(*Message)) []*Message {
		m := whole
		change(&m)
		return message(m)
	}
	for name, test := range map[string]struct {
		answers []Answer
		seen    []*Message
	}{
		"":                           {good, message(whole)},
		"0 answers":                  {nil, nil},
		"2 answers":                  {append(slices.Clone(good), good...), message(whole)},
		"nobody saw":                 {good, nil},
		"[1 1] were seen":            {good, append(message(whole), message(whole)...)},
		"is 502":                     {[]Answer{{Status: 502, Error: "malformed_response"}}, nil},
		"instead of GET /a a":        {good, with(func(m *Message) { m.Body = "x" })},
		"hop-by-hop field Te":        {good, with(func(m *Message) { m.Header = header("Te") })},
		"which Connection names":     {good, with(func(m *Message) { m.Header = header("X-One") })},
		"X-Forwarded-For is":         {good, with(func(m *Message) { m.Header = header("X-Forwarded-For") })},
		`X is ["y" "evil"]`:          {good, with(func(m *Message) { m.Header = header("X") })},
		"Connection passed":          {good, with(func(m *Message) { m.Header = header("Connection") })},
		"Upgrade passed":             {good, with(func(m *Message) { m.Header = header("Upgrade") })},
		"the endpoint saw GET /evil": {good, with(func(m *Message) { m.Target = "/evil" })},
	} {
		s := Setting{Client: "c", Proto: "http"}
		problems := s.Judge(c, HalfClose, &Transcript{Answers: test.answers}, test.seen)
		if text := strings.Join(problems, "\n"); !strings.Contains(text, name) || (name == "") != (text == "") {
			t.Errorf("%q is not said, but %q", name, text)
		}
	}
}
