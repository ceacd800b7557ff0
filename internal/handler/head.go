package handler

import (
	"maps"
	"net/http"
	"strconv"

	"github.com/weirproxy/weir/internal/exchange"
)

// A head makes http.Headers of fields, with memory that is used again.
type head struct{ text []byte }

// final puts the fields of a final response into h: what somebody before has put
// there stays, but for what there is one of.
func (m *head) final(h http.Header, resp *exchange.Response, method exchange.Method) {
	delete(h, "Content-Length")
	for _, name := range ours {
		delete(h, name)
	}
	m.add(h, resp.Header)
	if n := lengthField(resp, method); n != nil {
		h["Content-Length"] = n
	}
	for _, name := range ours {
		if _, there := h[name]; !there {
			h[name] = nil // that it is not there is how the endpoint wants it
		}
	}
}

// ours are the fields that net/http would add by itself.
var ours = [...]string{"Content-Type", "Date"}

// lengthField returns the values of Content-Length.
func lengthField(resp *exchange.Response, method exchange.Method) []string {
	switch {
	case resp.Status == 204:
		// "A server MUST NOT send a Content-Length header field in any response
		// with a status code of 1xx (Informational) or 204" (RFC 9110 §8.6)
		return nil
	case resp.Body == nil && (method == exchange.MethodHead || resp.Status == 304):
		if n, ok := resp.Header.Get(exchange.FieldContentLength); ok {
			return []string{string(n)}
		}
		return nil
	case resp.Body == nil:
		return none
	case resp.Length >= 0:
		return []string{strconv.FormatInt(resp.Length, 10)}
	default:
		return nil
	}
}

var none = []string{"0"}

// interim sends an interim response, with its own fields alone.
func (m *head) interim(w http.ResponseWriter, resp *exchange.Response) {
	h := w.Header()
	before := maps.Clone(h)
	clear(h)
	m.add(h, resp.Header)
	w.WriteHeader(resp.Status)
	clear(h)
	maps.Copy(h, before)
}

// add adds fields to h. All names and values are one text, and all lists of values
// one list.
func (m *head) add(h http.Header, fields exchange.Header) {
	m.text = m.text[:0]
	for i := range fields {
		if f := &fields[i]; passes(f) {
			m.text = append(append(m.text, f.Name...), f.Value...)
		}
	}
	text := string(m.text)
	lists := make([]string, len(fields))
	for i := range fields {
		f := &fields[i]
		if !passes(f) {
			continue
		}
		name := len(f.Name)
		end := name + len(f.Value)
		key := http.CanonicalHeaderKey(text[:name])
		lists[i] = text[name:end]
		if list, there := h[key]; there {
			h[key] = append(list, lists[i])
		} else {
			h[key] = lists[i : i+1 : i+1]
		}
		text = text[end:]
	}
}

// passes reports whether a field is passed on; how content is framed is up to
// net/http.
func passes(f *exchange.Field) bool { return !f.Skip && f.ID != exchange.FieldContentLength }
