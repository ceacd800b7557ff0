package exchange

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
)

// A Problem is the document that tells a client what the proxy itself has to
// say (RFC 9457).
type Problem struct {
	Type    string `json:"type"`
	Title   string `json:"title"`
	Status  int    `json:"status"`
	Error   string `json:"error"`
	Detail  string `json:"detail,omitempty"`
	EventID string `json:"event_id"`
}

// Problems makes responses out of failures.
type Problems struct {
	// Verbose lets the details name endpoints and addresses.
	Verbose bool
}

// Respond answers x with the failure, and notes it in the outcome. A failure
// that has no status (the client has left) is only noted.
func (p Problems) Respond(x *Exchange, f *Failure) error {
	x.Outcome.Failure = f
	if f.Code.Status == 0 {
		return f
	}
	resp := p.response(x, f)
	err := x.Responder.Respond(resp)
	x.Outcome.Failure = f
	return err
}

func (p Problems) response(x *Exchange, f *Failure) *Response {
	doc := Problem{
		Type:    "about:blank",
		Title:   http.StatusText(f.Code.Status),
		Status:  f.Code.Status,
		Error:   f.Code.Name,
		Detail:  f.Detail,
		EventID: string(x.ID),
	}
	if doc.Detail == "" {
		doc.Detail = f.Code.Meaning
	}
	if p.Verbose && f.Cause != nil {
		doc.Detail += ": " + f.Cause.Error()
	}
	text, err := json.Marshal(doc)
	if err != nil {
		text = []byte(`{"type":"about:blank"}`) // strings always marshal
	}
	resp := &Response{Status: f.Code.Status, Reason: []byte(doc.Title), Minor: 1, Length: int64(len(text)), Body: &bytesBody{text}}
	resp.Header = Header{
		{Name: []byte("Content-Type"), Value: []byte("application/problem+json"), ID: FieldContentType},
		{Name: []byte("Content-Length"), Value: strconv.AppendInt(nil, resp.Length, 10), ID: FieldContentLength},
		{Name: []byte("Date"), Value: []byte(httpDate()), ID: FieldDate},
	}
	if f.Allow != "" {
		resp.Header = append(resp.Header, Field{Name: []byte("Allow"), Value: []byte(f.Allow)})
	}
	if f.RetryAfter > 0 {
		resp.Header = append(resp.Header, Field{Name: []byte("Retry-After"), Value: strconv.AppendInt(nil, int64(f.RetryAfter), 10)})
	}
	if x.Request.Method == MethodHead {
		resp.Body, resp.Length = nil, 0
	}
	return resp
}

// bytesBody is content that is all there.
type bytesBody struct{ rest []byte }

func (b *bytesBody) Next(bool) ([]byte, error) {
	if len(b.rest) == 0 {
		return nil, io.EOF
	}
	rest := b.rest
	b.rest = nil
	return rest, nil
}

func (b *bytesBody) Trailer() Header { return nil }
