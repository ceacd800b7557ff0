package handler

import (
	"net/http"

	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

// A trailer is the trailer section of a request.
type trailer struct{ header exchange.Header }

func (t *trailer) reset() { t.header = nil }

// set makes t of what net/http has received. Nearly no request has one.
func (t *trailer) set(fields http.Header) {
	for name, values := range fields {
		for _, value := range values {
			f := exchange.Field{Name: []byte(name), Value: []byte(value)}
			if http1.ValidName(f.Name) && http1.ValidValue(f.Value) {
				f.ID = http1.FieldIDOf(f.Name)
				t.header = append(t.header, f)
			}
		}
	}
	http1.MarkTrailer(t.header)
}
