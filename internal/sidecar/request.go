package sidecar

import (
	"io"
	"net/http"
	"strings"
)

// ofConnection are the fields that concern one connection (RFC 9110 §7.6.1), and
// those that http.Transport writes by itself.
var ofConnection = []string{"Connection", "Proxy-Connection", "Keep-Alive", "Te", "Transfer-Encoding", "Upgrade", "Http2-Settings", "Trailer"}

// removeOfConnection takes those fields and what Connection names out of header.
func removeOfConnection(header http.Header) {
	for _, value := range header["Connection"] {
		for name := range strings.SplitSeq(value, ",") {
			delete(header, http.CanonicalHeaderKey(strings.Trim(name, " \t")))
		}
	}
	for _, name := range ofConnection {
		delete(header, name)
	}
}

// outgoing returns the request as the local server gets it.
func (h *Handler) outgoing(r *http.Request) *http.Request {
	header := r.Header.Clone()
	takesTrailers := listsTrailers(header["Te"])
	removeOfConnection(header)
	if takesTrailers {
		// This side passes trailers on, so it may say so itself.
		header["Te"] = []string{"trailers"}
		if h.target.scheme != "h2c" {
			header["Connection"] = []string{"TE"}
		}
	}
	if _, has := header["User-Agent"]; !has {
		header["User-Agent"] = nil // else there is one
	}
	out := &http.Request{
		Method: r.Method, URL: h.target.url(r.RequestURI), Host: r.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	addContent(out, r)
	if out.Body == nil {
		hideIdempotencyKey(out)
	}
	return out
}

// addContent gives out the content of r. What has a length keeps it, unless
// trailers follow: HTTP/1.1 has those behind chunks only.
func addContent(out, r *http.Request) {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 && len(r.Trailer) == 0 {
		return
	}
	out.Body, out.ContentLength = &upload{r.Body}, r.ContentLength
	if len(r.Trailer) > 0 {
		out.Trailer, out.ContentLength = r.Trailer, -1
	}
	if out.ContentLength < 0 {
		// Said here, lest http.Transport waits for the first byte to find out.
		out.TransferEncoding = []string{"chunked"}
	}
}

// An upload is content of a request whose errors are told from those of the local
// server.
type upload struct{ io.ReadCloser }

// Read implements io.Reader.
func (u *upload) Read(p []byte) (int, error) {
	n, err := u.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = &failure{clientFailed, err}
	}
	return n, err
}

// hideIdempotencyKey keeps http.Transport from taking a POST without content for
// one that it may send twice. It looks for the name as it writes it itself; to
// the local server the case makes no difference.
func hideIdempotencyKey(out *http.Request) {
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		if values, has := out.Header[name]; has {
			delete(out.Header, name)
			out.Header[strings.ToLower(name)] = values
		}
	}
}

func listsTrailers(te []string) bool {
	for _, value := range te {
		for element := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.Trim(element, " \t"), "trailers") {
				return true
			}
		}
	}
	return false
}
