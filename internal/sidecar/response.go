package sidecar

import (
	"io"
	"maps"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"sync"
)

// answer passes a response on, as it comes.
func answer(w http.ResponseWriter, resp *http.Response, e *exchanged) {
	e.restore(resp.Header)
	removeOfConnection(resp.Header)
	copyFields(w.Header(), resp.Header)
	announceTrailers(w.Header(), resp.Trailer)
	w.WriteHeader(resp.StatusCode)
	if !hasContent(resp) {
		return
	}
	flusher := http.NewResponseController(w)
	// The head must not wait for the content.
	if flusher.Flush() != nil || stream(w, flusher.Flush, resp.Body) != nil {
		panic(http.ErrAbortHandler) // half an answer must look like one
	}
	for name, values := range resp.Trailer {
		if len(values) > 0 {
			w.Header()[http.TrailerPrefix+name] = values
		}
	}
}

// hasContent reports whether content can follow the head.
func hasContent(resp *http.Response) bool {
	switch {
	case resp.Request.Method == http.MethodHead, resp.StatusCode == http.StatusNoContent, resp.StatusCode == http.StatusNotModified:
		return false
	}
	return resp.ContentLength != 0
}

// copyFields gives dst the fields of src. Those that net/http would invent are
// there without a value if src has none.
func copyFields(dst, src http.Header) {
	dst["Date"], dst["Content-Type"], dst["Content-Length"] = nil, nil, nil
	maps.Copy(dst, src)
}

// announceTrailers gives header the field that names trailers.
func announceTrailers(header, trailer http.Header) {
	if len(trailer) > 0 {
		header["Trailer"] = []string{strings.Join(slices.Sorted(maps.Keys(trailer)), ", ")}
	}
}

var buffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// stream copies bytes as they come, until the end of from. Those that come together
// with the end are left to whoever ends to: flushed here, they would be followed by
// a frame that has nothing but the end.
func stream(to io.Writer, flush func() error, from io.Reader) error {
	buf := buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(buf)
	for {
		n, err := from.Read(buf[:])
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return err
			}
		}
		if n > 0 && err != io.EOF {
			if err := flush(); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// interim passes on interim responses, until the final one.
type interim struct {
	to http.ResponseWriter

	mu    sync.Mutex
	ended bool // the handler goes on, or has returned
}

// pass is called on a goroutine of http.Transport.
func (i *interim) pass(code int, fields textproto.MIMEHeader) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.ended || code == http.StatusContinue {
		return nil // 100 was the server's own business: HTTP/2 let the content come already
	}
	header := i.to.Header()
	maps.Copy(header, http.Header(fields))
	removeOfConnection(header)
	i.to.WriteHeader(code)
	clear(header)
	return nil
}

func (i *interim) end() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.ended = true
}
