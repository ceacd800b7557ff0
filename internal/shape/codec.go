package shape

import (
	"bytes"
	"errors"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/weirproxy/weir/internal/exchange"
)

// A coding is how content is coded (RFC 9110 §8.4).
type coding uint8

const (
	plain coding = iota
	gzipped
	zstandard
	foreign // or several, one over the other
)

// codingOf tells how the content behind a header is coded.
func codingOf(h exchange.Header) coding {
	c := plain
	for i := range h {
		if h[i].Skip || h[i].ID != exchange.FieldContentEncoding {
			continue
		}
		switch name := h[i].Value; {
		case exchange.EqualFold(name, "identity") || len(name) == 0:
		case c != plain:
			c = foreign
		case exchange.EqualFold(name, "gzip") || exchange.EqualFold(name, "x-gzip"):
			c = gzipped
		case exchange.EqualFold(name, "zstd"):
			c = zstandard
		default:
			c = foreign
		}
	}
	return c
}

var (
	errBomb   = errors.New("the content is larger than may be, decoded")
	errCoding = errors.New("the content's coding is not known")
)

// codecs decode and encode content. They keep what that takes, for it is much.
type codecs struct {
	limit                            int // of content, decoded
	unzip, zip, unstandard, standard sync.Pool
}

// decode returns content decoded; errBomb if it is larger than the limit.
func (c *codecs) decode(how coding, content []byte) ([]byte, error) {
	switch how {
	case plain:
		return content, nil
	case gzipped:
		return c.gunzip(content)
	case zstandard:
		return c.unzstd(content)
	}
	return nil, errCoding
}

func (c *codecs) gunzip(content []byte) ([]byte, error) {
	r, ok := c.unzip.Get().(*gzip.Reader)
	if !ok {
		r = new(gzip.Reader)
	}
	defer c.unzip.Put(r)
	if err := r.Reset(bytes.NewReader(content)); err != nil {
		return nil, err
	}
	return c.drain(r)
}

// maxWindow bounds what a zstd frame may have its decoder remember: 8 MiB, which
// every decoder has to grant (RFC 8878 §3.1.1.1.2, RFC 9659).
const maxWindow = 8 << 20

func (c *codecs) unzstd(content []byte) ([]byte, error) {
	r, ok := c.unstandard.Get().(*zstd.Decoder)
	if !ok {
		var err error
		// With a concurrency of one it starts no goroutine.
		if r, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(maxWindow)); err != nil {
			return nil, err
		}
	}
	defer c.unstandard.Put(r)
	if err := r.Reset(bytes.NewReader(content)); err != nil {
		return nil, err
	}
	defer func() { _ = r.Reset(nil) }()
	return c.drain(r)
}

// drain reads what is decoded, up to the limit.
func (c *codecs) drain(r io.Reader) ([]byte, error) {
	var out bytes.Buffer
	n, err := io.Copy(&out, io.LimitReader(r, int64(c.limit)+1))
	switch {
	case err != nil:
		return nil, err
	case n > int64(c.limit):
		return nil, errBomb
	}
	return out.Bytes(), nil
}

// encode returns content coded as it was before.
func (c *codecs) encode(how coding, content []byte) ([]byte, error) {
	switch how {
	case gzipped:
		return c.gzip(content)
	case zstandard:
		return c.zstd(content)
	}
	return content, nil
}

func (c *codecs) gzip(content []byte) ([]byte, error) {
	var out bytes.Buffer
	w, ok := c.zip.Get().(*gzip.Writer)
	if !ok {
		w = gzip.NewWriter(nil)
	}
	defer c.zip.Put(w)
	w.Reset(&out)
	if _, err := w.Write(content); err != nil {
		return nil, err
	}
	err := w.Close()
	return out.Bytes(), err
}

func (c *codecs) zstd(content []byte) ([]byte, error) {
	w, ok := c.standard.Get().(*zstd.Encoder)
	if !ok {
		var err error
		if w, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20)); err != nil {
			return nil, err
		}
	}
	defer c.standard.Put(w)
	return w.EncodeAll(content, nil), nil
}
