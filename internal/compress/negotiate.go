package compress

import (
	"bytes"

	"github.com/weirproxy/weir/internal/exchange"
)

// A Choice is the coding that a client gets, by its place in the policy's list,
// from 1; 0 is none.
type Choice uint8

// None is the choice of a client that gets responses as they are.
const None Choice = 0

// unsaid is the weight of a coding that Accept-Encoding does not name.
const unsaid = -1

// weights are what a client says of codings, in thousandths.
type weights struct {
	named           [algorithms]int
	star, unchanged int
}

// Negotiate returns what the client of a request gets: of the codings that it
// accepts the one it likes best, of several the first of the policy's. Who asks for
// none, or likes content better as it is, gets it so.
func (p *Policy) Negotiate(req *exchange.Request) Choice {
	w := weights{star: unsaid, unchanged: unsaid}
	for i := range w.named {
		w.named[i] = unsaid
	}
	asked := false
	for i := range req.Header {
		if f := &req.Header[i]; len(f.Name) == len(acceptEncoding) && exchange.EqualFold(f.Name, acceptEncoding) {
			w.read(f.Value)
			asked = true
		}
	}
	if !asked {
		return None
	}
	choice, best := None, max(0, w.unchanged-1)
	for i, a := range p.algorithms {
		weight := w.named[a]
		if weight == unsaid {
			weight = w.star
		}
		if weight > best {
			choice, best = Choice(i+1), weight
		}
	}
	return choice
}

// read reads the value of an Accept-Encoding field. What is not well formed is as
// if it were not there.
//
//	Accept-Encoding = #( codings [ weight ] )      (RFC 9110 §12.5.3)
func (w *weights) read(list []byte) {
	for len(list) > 0 {
		item, rest, _ := bytes.Cut(list, []byte{','})
		list = rest
		coding, parameter, weighted := bytes.Cut(item, []byte{';'})
		weight, ok := 1000, true
		if weighted {
			weight, ok = parseWeight(bytes.TrimSpace(parameter))
		}
		if ok {
			w.set(bytes.TrimSpace(coding), weight)
		}
	}
}

func (w *weights) set(coding []byte, weight int) {
	switch {
	case string(coding) == "*":
		w.star = weight
	case exchange.EqualFold(coding, "identity"):
		w.unchanged = weight
	case exchange.EqualFold(coding, "x-gzip"): // "equivalent to gzip" (RFC 9110 §8.4.1.3)
		w.named[algGzip] = weight
	}
	for a, name := range algorithmNames {
		if exchange.EqualFold(coding, name) {
			w.named[a] = weight
		}
	}
}

// parseWeight reads a weight, in thousandths.
//
//	weight = OWS ";" OWS "q=" qvalue
//	qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )
func parseWeight(text []byte) (thousandths int, ok bool) {
	if len(text) < 3 || len(text) > len("q=0.123") || text[0]|0x20 != 'q' || text[1] != '=' || text[2] != '0' && text[2] != '1' {
		return 0, false
	}
	thousandths = 1000 * int(text[2]-'0')
	if len(text) == 3 {
		return thousandths, true
	}
	if text[3] != '.' {
		return 0, false
	}
	unit := 100
	for _, c := range text[4:] {
		if c < '0' || c > '9' {
			return 0, false
		}
		thousandths += unit * int(c-'0')
		unit /= 10
	}
	return thousandths, thousandths <= 1000
}
