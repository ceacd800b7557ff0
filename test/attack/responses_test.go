package attack

import (
	"errors"
	"strings"
	"testing"
)

// What a client may be told when a villain answers.
type verdict int

const (
	refused verdict = iota // 502
	broken                 // 502, or a head and an end before the message's: it depends on what had been passed on
	whole                  // what the villain said
	// either of the first two, or what the villain said up to where it began to
	// lie: that is a whole message by itself, and may have been passed on.
	upToTheLie
)

// A lie is what a villain answers.
type lie struct {
	method  string // GET if empty
	respond func(v *villain, stream uint32)
	want    verdict
	status  int // of what is whole
	body    string
}

// says answers with one block of fields, and no content.
func says(fields ...string) lie {
	return lie{respond: func(v *villain, stream uint32) { v.head(stream, true, fields...) }}
}

// with answers with this field besides the status.
func with(name, value string) lie { return says(":status", "200", name, value) }

// content answers with these fields and that content, which may be in several
// frames.
func content(want verdict, body string, fields []string, parts ...string) lie {
	return lie{want: want, status: 200, body: body, respond: func(v *villain, stream uint32) {
		v.head(stream, false, append([]string{":status", "200"}, fields...)...)
		for i, part := range parts {
			v.data(stream, i == len(parts)-1, part)
		}
	}}
}

func length(n string) []string { return []string{"content-length", n} }

func (l lie) to(method string) lie { l.method = method; return l }

func (l lie) passes(status int, body string) lie {
	l.want, l.status, l.body = whole, status, body
	return l
}

// The names and values that would split a response, or that HTTP/1.1 would read
// differently.
func TestResponses_CannotBeSplit(t *testing.T) {
	lies := map[string]lie{
		"value obs-text":       with("x", "caf\xe9").passes(200, ""),
		"value with edges":     with("x", "plain").passes(200, ""),
		"status missing":       says("x", "1"),
		"status twice":         says(":status", "200", ":status", "200"),
		"status last":          says("x", "1", ":status", "200"),
		"status between":       says("x", "1", ":status", "200", "y", "2"),
		"pseudo of requests":   says(":status", "200", ":path", "/"),
		"pseudo unknown":       says(":status", "200", ":reason", "x\r\ny"),
		"pseudo after":         says(":status", "200", "x", "1", ":authority", "x"),
		"connection":           with("connection", "close"),
		"connection of others": with("connection", "content-length"),
		"keep-alive":           with("keep-alive", "timeout=5"),
		"proxy-connection":     with("proxy-connection", "keep-alive"),
		"transfer-encoding":    with("transfer-encoding", "chunked"),
		"transfer and length":  says(":status", "200", "transfer-encoding", "chunked", "content-length", "0"),
		"upgrade":              with("upgrade", "websocket"),
		"upgrade and 101":      says(":status", "101", "upgrade", "websocket", "connection", "upgrade"),
		"te":                   with("te", "trailers"),
	}
	for name, field := range map[string]string{
		"CRLF": "x\r\nset-cookie: a=1", "CR": "x\ry", "LF": "x\ny", "NUL": "x\x00y", "colon": "x:y", "colon last": "x:",
		"upper case": "X-Upper", "space": "x y", "space last": "x ", "tab": "x\ty", "DEL": "x\x7f", "8 bits": "x\xff",
		"nothing": "", "space first": " x", "parenthesis": "x(", "quote": `x"`,
		"transfer-encoding in capitals": "Transfer-Encoding", "transfer-encoding and a space": "transfer-encoding ",
		"a status line": "http/1.1 200 ok\r\n\r\nhttp/1.1 200 ok",
	} {
		lies["name with "+name] = with(field, "1")
	}
	for name, value := range map[string]string{
		"CRLF": "1\r\nset-cookie: a=1", "a second response": "1\r\ncontent-length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "CR": "1\r2", "LF": "1\n2",
		"NUL": "1\x002", "DEL": "1\x7f2", "LF last": "1\n", "CR first": "\r1", "obs-fold": "1\r\n 2", "VT": "1\x0b2", "ESC": "1\x1b[2J",
	} {
		lies["value with "+name] = with("x", value)
	}
	for _, status := range []string{
		"099", "000", "1000", "600", "999", "20", "2", "", "2 0", "+20", "-20", "20x", "abc", "200 OK", "200\r\n", "0200", "２００", "101",
	} {
		lies["status "+status] = says(":status", status)
	}
	s := besiege(t, nil)
	s.tellAll(lies)
	s.lift()
}

func TestResponses_AreNeverOfAnotherLengthThanTheySay(t *testing.T) {
	s := besiege(t, nil)
	lies := map[string]lie{
		"nothing said":           content(whole, "hello world", nil, "hello ", "world"),
		"the right length":       content(whole, "hello", length("5"), "hello"),
		"said twice":             content(whole, "hello", append(length("5"), length("5")...), "hello"),
		"said differently":       content(refused, "", append(length("5"), length("6")...), "hello"),
		"more in one frame":      content(broken, "", length("5"), "hello world"),
		"more in another frame":  content(upToTheLie, "hello", length("5"), "hello", " world"),
		"less":                   content(broken, "", length("11"), "hello"),
		"less, and many times":   content(broken, "", length("100000"), strings.Repeat("x", 9999), strings.Repeat("x", 9999)),
		"none where some is due": says(":status", "200", "content-length", "5"),
		"some where none is due": content(upToTheLie, "", length("0"), "HTTP/1.1 200 OK\r\n\r\n"),
		"a 204 with content": {want: upToTheLie, status: 204, respond: func(v *villain, stream uint32) {
			v.head(stream, false, ":status", "204")
			v.data(stream, true, "HTTP/1.1 200 OK\r\n\r\n")
		}},
		"a 204 with a length": says(":status", "204", "content-length", "5").passes(204, ""),
		"a 304 with a length": says(":status", "304", "content-length", "5").passes(304, ""),
		"a 304 with content": {want: upToTheLie, status: 304, respond: func(v *villain, stream uint32) {
			v.head(stream, false, ":status", "304", "content-length", "5")
			v.data(stream, true, "HTTP/1.1 200 OK\r\n\r\n")
		}},
		"a 205 with content": content(whole, "", nil, "x").passes(200, "x"),
		"HEAD with a length": says(":status", "200", "content-length", "5").to("HEAD").passes(200, ""),
		"HEAD with content":  content(upToTheLie, "", nil, "HTTP/1.1 200 OK\r\n\r\n").to("HEAD"),
		"reset midway": {want: broken, respond: func(v *villain, stream uint32) {
			v.head(stream, false, ":status", "200")
			v.data(stream, false, "hello")
			v.frame(reset, 0, stream, number(0))
		}},
		"closed midway": {want: broken, respond: func(v *villain, stream uint32) {
			v.head(stream, false, ":status", "200")
			v.data(stream, false, "hello")
			v.leave()
		}},
		"content first":  {respond: func(v *villain, stream uint32) { v.data(stream, true, "hello") }},
		"reset at once":  {respond: func(v *villain, stream uint32) { v.frame(reset, 0, stream, number(0)) }},
		"closed at once": {respond: func(v *villain, _ uint32) { v.leave() }},
		"more after the end": {want: whole, status: 200, body: "hello", respond: func(v *villain, stream uint32) {
			v.head(stream, false, ":status", "200")
			v.data(stream, true, "hello")
			v.data(stream, true, "HTTP/1.1 200 OK\r\n\r\n")
		}},
		"a head after the end": {want: whole, status: 200, body: "hello", respond: func(v *villain, stream uint32) {
			v.head(stream, false, ":status", "200")
			v.data(stream, true, "hello")
			v.head(stream, true, ":status", "200")
		}},
		"two heads": {want: broken, respond: func(v *villain, stream uint32) {
			v.head(stream, false, ":status", "200")
			v.head(stream, true, ":status", "200", "x", "2")
		}},
	}
	for _, n := range []string{"", "5, 5", "+5", "-5", "5 ", " 5", "0x5", "5.0", "1e1", "99999999999999999999", "five", "5\r\n", "\x005", "５"} {
		lies["length "+n] = content(refused, "", length(n), "hello")
	}
	s.tellAll(lies)
	s.lift()
}

func TestResponses_KeepTheirPartsApart(t *testing.T) {
	s := besiege(t, nil)
	ending := func(want verdict, end bool, fields ...string) lie {
		return lie{want: want, status: 200, body: "hello", respond: func(v *villain, stream uint32) {
			v.head(stream, false, ":status", "200")
			v.data(stream, false, "hello")
			v.head(stream, end, fields...)
		}}
	}
	before := func(want verdict, end bool, interim ...string) lie {
		return lie{want: want, status: 200, body: "hello", respond: func(v *villain, stream uint32) {
			v.head(stream, end, interim...)
			v.head(stream, false, ":status", "200")
			v.data(stream, true, "hello")
		}}
	}
	many := func(n int, field func(i int) (string, string)) (fields []string) {
		for i := range n {
			name, value := field(i)
			fields = append(fields, name, value)
		}
		return fields
	}
	small := many(1000, func(i int) (string, string) { return "x-" + strings.Repeat("y", i%10), "1" })
	s.tellAll(map[string]lie{
		"trailers":                ending(whole, true, "x-sum", "1"),
		"trailers with a status":  ending(broken, true, ":status", "200"),
		"trailers with CRLF":      ending(broken, true, "x", "1\r\n\r\nHTTP/1.1 200 OK"),
		"trailers in capitals":    ending(broken, true, "X-Sum", "1"),
		"trailers with a length":  ending(whole, true, "content-length", "5"),
		"trailers with a coding":  ending(broken, true, "transfer-encoding", "chunked"),
		"trailers without an end": ending(broken, false, "x-sum", "1"),
		"trailers that are huge":  ending(broken, true, "x", strings.Repeat("y", 100<<10)),
		"trailers that are many":  ending(broken, true, small...),
		"interim":                 before(whole, false, ":status", "103", "link", "</x>"),
		"interim with a length":   before(whole, false, ":status", "103", "content-length", "5"),
		"interim 100, not asked":  before(whole, false, ":status", "100"),
		"interim 102":             before(whole, false, ":status", "102"),
		"interim 199":             before(whole, false, ":status", "199"),
		"interim 101":             before(refused, false, ":status", "101"),
		"interim with a coding":   before(refused, false, ":status", "103", "transfer-encoding", "chunked"),
		"interim with CRLF":       before(refused, false, ":status", "103", "x", "1\r\n\r\nHTTP/1.1 200 OK"),
		"interim that ends":       before(refused, true, ":status", "103"),
		"interim that is huge":    before(refused, false, ":status", "103", "x", strings.Repeat("y", 100<<10)),
		"a field that is huge":    with("x", strings.Repeat("y", 100<<10)),
		"a name that is huge":     with(strings.Repeat("y", 100<<10), "1"),
		"many fields":             says(append([]string{":status", "200"}, small...)...),
		"many lengths":            says(append([]string{":status", "200"}, many(50, func(int) (string, string) { return "content-length", "0" })...)...).passes(200, ""),
		"interim after the head": {want: broken, respond: func(v *villain, stream uint32) {
			v.head(stream, false, ":status", "200")
			v.head(stream, false, ":status", "103")
		}},
		"nothing but interim": {respond: func(v *villain, stream uint32) {
			for range 100 {
				v.head(stream, false, ":status", "103")
			}
		}},
	})
	s.lift()
}

func (s *siege) tellAll(lies map[string]lie) {
	for name, l := range lies {
		s.t.Run(name, func(t *testing.T) { s.tell(t, l) })
	}
}

// tell has a villain answer a client's request with a lie, and looks at what the
// client gets: one message that is well-formed, or the end of the connection. The
// connection, if it is kept, is then as good as any.
func (s *siege) tell(t *testing.T, l lie) {
	v := infiltrate(t, s.workers, "Weir-Service: prey", "Weir-Instance: liar").begin()
	s.liars++
	defer func() {
		v.leave()
		s.awaitLeft(s.liars, "liar", "")
	}()
	c := dialClient(t, s.clients)
	defer c.nc.Close()
	if l.method == "" {
		l.method = "GET"
	}
	if err := c.send(l.method, "/prey/it"); err != nil {
		t.Fatal(err)
	}
	l.respond(v, v.await().stream)
	a, err := c.read(l.method)
	if err != nil {
		t.Fatalf("the client reads %d %q %q, and then: %v", a.status, a.header, a.body, err)
	}
	if !l.accepts(&a) {
		t.Errorf("the client was answered %d %q %q (truncated: %t)", a.status, a.header, a.body, a.truncated)
	}
	if a.has("set-cookie") {
		t.Errorf("a field was smuggled in: %q", a.header)
	}
	if a.truncated || a.closing {
		return
	}
	next, err := c.ask("GET", "/aside/v1/next")
	if l.want == upToTheLie && errors.Is(err, errNothing) {
		return // what follows the message was found wrong only after its head had left
	}
	if err != nil || next.status != 200 || next.body != "bystander /next" {
		t.Errorf("the next request on the connection was answered %d %q (%v)", next.status, next.body, err)
	}
}

// accepts reports whether an answer is one that the client may get.
func (l *lie) accepts(a *answer) bool {
	isRefused := a.status == 502 && a.value("content-type") == "application/problem+json" && !a.truncated
	isTruncated := a.truncated && a.status != 502
	isWhole := !a.truncated && a.status == l.status && a.body == l.body
	switch l.want {
	case refused:
		return isRefused
	case broken:
		return isRefused || isTruncated
	case whole:
		return isWhole
	default:
		return isRefused || isTruncated || isWhole
	}
}
