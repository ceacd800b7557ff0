package http2

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http2/hpack"

	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

// encoded returns the fields of a request as a decoder sees them, one a line.
func encoded(t *testing.T, x *exchange.Exchange, o Options, shape requestShape) string {
	t.Helper()
	o.setDefaults()
	var e encoder
	e.request(&x.Request, &o, appendPath(nil, &x.Request, &o.Head), shape)
	fields, err := hpack.NewDecoder(0, nil).DecodeFull(e.block)
	if err != nil {
		t.Fatalf("the block cannot be decoded without a table: %v", err)
	}
	text := ""
	for _, f := range fields {
		text += fmt.Sprintf("%s=%s\n", f.Name, f.Value)
	}
	return text
}

func TestEncoder_WritesWhatTheOptionsSay(t *testing.T) {
	post := newExchange("POST", "/", "content-length", "0", "CONTENT-LENGTH", "0", "Expect", "100-continue")
	empty := newExchange("GET", "")
	empty.Request.Authority = nil
	empty.Request.HasQuery = true
	other := newExchange("PROPFIND", "*", "Accept", "a", "X-Skipped", "1", "Cookie", "a", "Cookie", "b")
	other.Request.Header[1].Skip = true
	for name, tc := range map[string]struct {
		x     *exchange.Exchange
		o     Options
		shape requestShape
		want  string
	}{
		"no content, and said so": {post, Options{}, requestShape{}, ":method=POST\n:scheme=http\n:authority=example.org\n:path=/\ncontent-length=0\nexpect=100-continue\n"},
		"Expect dropped":          {post, Options{Scheme: "https"}, requestShape{dropExpect: true}, ":method=POST\n:scheme=https\n:authority=example.org\n:path=/\ncontent-length=0\n"},
		"nothing asked for":       {empty, Options{}, requestShape{}, ":method=GET\n:scheme=http\n:path=/?\n"},
		"a fallback host":         {empty, Options{Head: http1.RequestHead{FallbackHost: "b"}}, requestShape{}, ":method=GET\n:scheme=http\n:authority=b\n:path=/?\n"},
		"a host of its own":       {other, Options{Head: http1.RequestHead{Host: "h"}}, requestShape{}, ":method=PROPFIND\n:scheme=http\n:authority=h\n:path=*\naccept=a\ncookie=a\ncookie=b\n"},
		"a scheme of its own":     {newExchange("GET", "/x"), Options{Scheme: "coap", Head: http1.RequestHead{BasePath: "/b"}}, requestShape{}, ":method=GET\n:scheme=coap\n:authority=example.org\n:path=/b/x\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := encoded(t, tc.x, tc.o, tc.shape); got != tc.want {
				t.Errorf("the request is\n%swant\n%s", got, tc.want)
			}
		})
	}
}

func TestEncoder_KnowsTheStaticTable(t *testing.T) {
	for _, known := range slices.Concat(staticNames[:]...) {
		if got := staticIndex([]byte(strings.ToUpper(known.name))); got != known.index {
			t.Errorf("%s is found as entry %d, want %d", known.name, got, known.index)
		}
		var e encoder
		e.field([]byte(known.name), []byte("v"))
		fields, err := hpack.NewDecoder(0, nil).DecodeFull(e.block)
		if err != nil || len(fields) != 1 || fields[0].Name != known.name {
			t.Errorf("entry %d is decoded as %v (%v), want %s", known.index, fields, err, known.name)
		}
	}
}
