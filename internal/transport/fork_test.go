package transport

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/weirproxy/weir/internal/exchange"
)

// echoAll is an endpoint whose answer is the request as it came, without what the
// endpoint's own configuration has added.
func echoAll(c *fakeConn) {
	for {
		req, err := http.ReadRequest(c.Reader)
		if err != nil {
			return
		}
		content, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		var answer bytes.Buffer
		resp := http.Response{StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}}
		text := req.Method + " " + req.RequestURI + " " + req.Host + " " + req.Header.Get("X-A") +
			" " + string(content) + " " + req.Trailer.Get("X-Sum")
		resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader([]byte(text))), int64(len(text))
		_ = resp.Write(&answer)
		if !c.say(answer.String()) {
			return
		}
	}
}

// TestHTTP1_SendsOneRequestToManyAtOnce: exchanges that share the slices of one
// request, and its content, on their way to endpoints that are configured
// differently.
func TestHTTP1_SendsOneRequestToManyAtOnce(t *testing.T) {
	shared := newExchange("PUT").Request
	shared.Path = []byte("/p")
	shared.Header = exchange.Header{
		{Name: []byte("Host"), Value: []byte("app"), ID: exchange.FieldHost},
		{Name: []byte("X-A"), Value: []byte("1")},
		{Name: []byte("Transfer-Encoding"), Value: []byte("chunked"), ID: exchange.FieldTransferEncoding},
		{Name: []byte("Trailer"), Value: []byte("X-Sum")},
	}
	shared.Length = exchange.LengthUnknown
	trailer := exchange.Header{{Name: []byte("X-Sum"), Value: []byte("7")}}
	plain, own := options(), options()
	own.Head.BasePath = "/base"
	own.Head.Headers = []exchange.Field{{Name: []byte("X-A"), Value: []byte("own")}, {Name: []byte("X-Sum"), Value: []byte("own")}}
	ways := map[string]*HTTP1{
		"PUT /p app 1 content 7":       newFake(echoAll).overTCP(t, plain),
		"PUT /base/p app own content ": newFake(echoAll).overTCP(t, own),
	}
	var sending sync.WaitGroup
	for want, tr := range ways {
		for range 4 {
			sending.Go(func() {
				x, c := newExchange("PUT"), new(Call)
				p := newPieces("con", "tent")
				p.trailer = trailer
				x.Request = shared
				x.Request.Body = p
				if f := tr.RoundTrip(x, c); f != nil {
					t.Errorf("it failed: %v", f)
					return
				}
				if got := readAll(t, c); got != want {
					t.Errorf("the endpoint has got %q, want %q", got, want)
				}
				c.Close(x)
				if x.Outcome.RequestBytes != int64(len("content")) {
					t.Errorf("its exchange counts %d bytes of content", x.Outcome.RequestBytes)
				}
			})
		}
	}
	sending.Wait()
	if trailer[0].Skip {
		t.Error("a trailer field that several endpoints get was marked for one of them")
	}
}
