package exchange

import (
	"encoding/json"
	"errors"
	"strconv"
	"testing"
)

// recorder is a Responder that keeps what it is given.
type recorder struct {
	response *Response
	content  []byte
}

func (r *recorder) Inform(*Response) error { return nil }

func (r *recorder) Respond(resp *Response) error {
	r.response = resp
	for resp.Body != nil {
		data, err := resp.Body.Next(true)
		if err != nil {
			break
		}
		r.content = append(r.content, data...)
	}
	return nil
}

func answer(t *testing.T, p Problems, method Method, f *Failure) (*recorder, Problem) {
	t.Helper()
	var r recorder
	x := &Exchange{Responder: &r, ID: []byte("id-1")}
	x.Request.Method = method
	if err := p.Respond(x, f); err != nil {
		t.Fatalf("answering with %v failed: %v", f, err)
	}
	if x.Outcome.Failure != f {
		t.Errorf("the outcome has failure %v, want %v", x.Outcome.Failure, f)
	}
	var doc Problem
	if len(r.content) > 0 {
		if err := json.Unmarshal(r.content, &doc); err != nil {
			t.Fatalf("the answer %q is not JSON: %v", r.content, err)
		}
	}
	return &r, doc
}

func TestProblems_SayWhatFailedAndWhichRequest(t *testing.T) {
	r, doc := answer(t, Problems{}, MethodGet, Fail(CodeConnectFailed, "", errors.New("10.0.0.1 refused")))
	want := Problem{Type: "about:blank", Title: "Bad Gateway", Status: 502, Error: "connect_failed", Detail: CodeConnectFailed.Meaning, EventID: "id-1"}
	if doc != want {
		t.Errorf("the document is %+v, want %+v", doc, want)
	}
	if length, _ := r.response.Header.Lookup("content-length"); string(length) != strconv.Itoa(len(r.content)) {
		t.Errorf("Content-Length is %s, the content has %d bytes", length, len(r.content))
	}
	if kind, _ := r.response.Header.Lookup("content-type"); string(kind) != "application/problem+json" {
		t.Errorf("Content-Type is %s", kind)
	}
}

func TestProblems_NameEndpointsOnlyWhenVerbose(t *testing.T) {
	f := Fail(CodeConnectFailed, "refused", errors.New("dial 10.0.0.1"))
	if _, doc := answer(t, Problems{}, MethodGet, f); doc.Detail != "refused" {
		t.Errorf("the detail is %q, want only what names nothing internal", doc.Detail)
	}
	if _, doc := answer(t, Problems{Verbose: true}, MethodGet, f); doc.Detail != "refused: dial 10.0.0.1" {
		t.Errorf("with verbose errors the detail is %q, want the cause too", doc.Detail)
	}
}

func TestProblems_AnswerHeadWithoutContent(t *testing.T) {
	r, _ := answer(t, Problems{}, MethodHead, Fail(CodeNoRoute, "", nil))
	if r.response.Body != nil || r.response.Length != 0 {
		t.Errorf("the answer to HEAD has content of %d bytes", r.response.Length)
	}
	if length, ok := r.response.Header.Lookup("Content-Length"); !ok || string(length) == "0" {
		t.Errorf("the answer to HEAD has Content-Length %q, want that of the answer to GET", length)
	}
}

func TestProblems_AddAllowAndRetryAfter(t *testing.T) {
	f := &Failure{Code: CodeMethodNotAllowed, Allow: "GET, HEAD", RetryAfter: 7}
	r, _ := answer(t, Problems{}, MethodPost, f)
	for name, want := range map[string]string{"Allow": "GET, HEAD", "Retry-After": "7"} {
		if got, _ := r.response.Header.Lookup(name); string(got) != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestProblems_OnlyNoteWhatHasNoStatus(t *testing.T) {
	var r recorder
	x := &Exchange{Responder: &r}
	f := Fail(CodeClientGone, "", nil)
	if err := (Problems{}).Respond(x, f); !errors.Is(err, error(f)) {
		t.Errorf("answering a client that has left returns %v, want the failure itself", err)
	}
	if r.response != nil {
		t.Error("a client that has left was sent an answer")
	}
}
