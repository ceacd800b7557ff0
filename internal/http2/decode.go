package http2

import (
	"slices"

	"golang.org/x/net/http2/hpack"

	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

const (
	// maxContinuations bounds the frames of one block, blockBytes how many times
	// Limits.HeaderBytes a block may have: who sends more is no endpoint whose
	// head is too large, but one that wants us to work.
	maxContinuations = 64
	blockBytes       = 4
	// maxFields bounds how many fields of a block are decoded; four times
	// Limits.HeaderCount if that is more. One byte can stand for a field of 4 KiB.
	maxFields = 4096
	// decoderTable is the size of the decoder's table: the default.
	decoderTable = 4096
)

// A head is a block of fields that was decoded. Its fields are slices of text.
type head struct {
	status int
	header exchange.Header
	text   []byte
}

// set makes h a copy of other.
func (h *head) set(other *head) {
	h.status = other.status
	h.text = slices.Grow(h.text[:0], len(other.text))
	h.header = h.header[:0]
	for i := range other.header {
		field := other.header[i]
		h.add(field.Name, field.Value)
		h.header[i].ID, h.header[i].Skip = field.ID, field.Skip
	}
}

func (h *head) add(name, value []byte) {
	at := len(h.text)
	h.text = append(append(h.text, name...), value...)
	mid, end := at+len(name), len(h.text)
	h.header = append(h.header, exchange.Field{Name: h.text[at:mid:mid], Value: h.text[mid:end:end]})
}

// A headDecoder decodes blocks of fields (RFC 9113 §4.3, §8.2). It decodes all of
// them, also those nobody waits for or that are too large: the table it keeps
// must be that of the peer. It belongs to the goroutine that reads.
type headDecoder struct {
	limits *http1.Limits
	hpack  *hpack.Decoder

	head
	stream uint32
	open   bool // more of the block follows
	end    bool // and nothing after it, on the stream
	frames int
	bytes  int // as it came
	size   int // decoded
	fields int // decoded, also those that are too many
	large  bool
	fault  string // what is wrong with it; empty if nothing is
}

func newHeadDecoder(limits *http1.Limits) *headDecoder {
	d := &headDecoder{limits: limits}
	d.hpack = hpack.NewDecoder(decoderTable, d.field)
	return d
}

// take decodes what a HEADERS or CONTINUATION frame has of a block.
func (d *headDecoder) take(f *frame) *connError {
	part := f.payload
	if f.kind == frameHeaders {
		var ok bool
		if part, ok = f.strip(); !ok || f.stream == 0 {
			return fatal(errProtocol, "HEADERS without a stream, or shorter than they say")
		}
		d.begin(f)
	}
	d.frames++
	d.bytes += len(part)
	if d.frames > maxContinuations || d.bytes > blockBytes*d.limits.HeaderBytes {
		return fatal(errTooMuch, "a block of fields without end")
	}
	if _, err := d.hpack.Write(part); err != nil {
		return fatal(errCompression, err.Error())
	}
	if d.fields > d.mostFields() {
		return fatal(errTooMuch, "a block of fields without end")
	}
	if !f.has(flagEndHeaders) {
		return nil
	}
	d.open = false
	if err := d.hpack.Close(); err != nil {
		return fatal(errCompression, err.Error())
	}
	return nil
}

func (d *headDecoder) begin(f *frame) {
	const keep = 16 << 10
	if cap(d.text) > keep {
		d.head = head{}
	}
	d.status, d.header, d.text = 0, d.header[:0], d.text[:0]
	d.open, d.stream, d.end = true, f.stream, f.has(flagEndStream)
	d.frames, d.bytes, d.size, d.fields = 0, 0, 0, 0
	d.large, d.fault = false, ""
	d.hpack.SetEmitEnabled(true)
}

func (d *headDecoder) mostFields() int { return max(maxFields, 4*d.limits.HeaderCount) }

// field takes a field that was decoded.
func (d *headDecoder) field(f hpack.HeaderField) {
	if d.fields++; d.fields > d.mostFields() {
		d.hpack.SetEmitEnabled(false) // take will end the connection
		return
	}
	if d.large {
		return // the rest is only decoded, and counted
	}
	const overhead = 32 // RFC 9113 §6.5.2
	d.size += len(f.Name) + len(f.Value) + overhead
	if d.size > d.limits.HeaderBytes || len(d.header) >= d.limits.HeaderCount {
		d.large = true
		return
	}
	if len(f.Name) > 0 && f.Name[0] == ':' {
		d.pseudo(f)
		return
	}
	at := len(d.text)
	d.text = append(append(d.text, f.Name...), f.Value...)
	mid, end := at+len(f.Name), len(d.text)
	field := exchange.Field{Name: d.text[at:mid:mid], Value: d.text[mid:end:end]}
	if d.valid(&field) {
		d.header = append(d.header, field)
	}
}

// pseudo takes a field of a response that is none: :status, once, before all
// others (§8.3).
func (d *headDecoder) pseudo(f hpack.HeaderField) {
	v := f.Value
	switch {
	case f.Name != ":status":
		d.fault = "a pseudo-field that responses do not have"
	case d.status != 0 || len(d.header) > 0:
		d.fault = ":status twice, or after other fields"
	case len(v) != 3 || v[0] < '1' || v[0] > '5' || v[1] < '0' || v[1] > '9' || v[2] < '0' || v[2] > '9':
		d.fault = "the status is not a number from 100 to 599"
	default:
		d.status = int(v[0]-'0')*100 + int(v[1]-'0')*10 + int(v[2]-'0')
	}
}

// valid checks a field, and sets its ID (§8.2.1, §8.2.2).
func (d *headDecoder) valid(field *exchange.Field) bool {
	if !http1.ValidName(field.Name) || hasUpper(field.Name) {
		d.fault = "a field's name has characters that are not allowed"
		return false
	}
	if !http1.ValidValue(field.Value) {
		d.fault = "a field's value has characters that are not allowed"
		return false
	}
	field.ID = http1.FieldIDOf(field.Name)
	if hopByHop(field.ID) {
		d.fault = "a field that is for connections of HTTP/1.1"
		return false
	}
	return true
}

func hasUpper(name []byte) bool {
	for _, c := range name {
		if 'A' <= c && c <= 'Z' {
			return true
		}
	}
	return false
}

// hopByHop reports whether a field is about a connection of HTTP/1.1 (§8.2.2).
func hopByHop(id exchange.FieldID) bool {
	switch id {
	case exchange.FieldConnection, exchange.FieldProxyConnection, exchange.FieldKeepAlive,
		exchange.FieldTE, exchange.FieldTransferEncoding, exchange.FieldUpgrade:
		return true
	default:
		return false
	}
}

// contentLength returns what Content-Length says, LengthUnknown if there is none.
// Several that are the same to the byte are one.
func contentLength(header exchange.Header) (n int64, ok bool) {
	first, there := header.Get(exchange.FieldContentLength)
	if !there {
		return exchange.LengthUnknown, true
	}
	for i := range header {
		if header[i].ID == exchange.FieldContentLength && string(header[i].Value) != string(first) {
			return 0, false
		}
	}
	if len(first) == 0 || len(first) > 18 {
		return 0, false
	}
	for _, c := range first {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}
