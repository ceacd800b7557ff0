package compress

import (
	"io"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// An algorithm is a coding that Weir can write.
type algorithm uint8

const (
	algZstd algorithm = iota
	algGzip
	algorithms
)

// algorithmNames are as they are registered for Content-Encoding.
var algorithmNames = [algorithms]string{algZstd: "zstd", algGzip: "gzip"}

// An encoder writes a coding.
type encoder interface {
	io.WriteCloser
	Flush() error
	Reset(w io.Writer)
}

// gzipLevel and the window are where more memory and time save little more.
const (
	gzipLevel  = 4
	zstdWindow = 256 << 10 // "maximum Window_Size of 8 MB" is for decoders (RFC 9659)
)

func newEncoder(a algorithm) encoder {
	if a == algGzip {
		e, err := gzip.NewWriterLevel(nil, gzipLevel)
		if err != nil {
			panic(err) // the level is a constant
		}
		return e
	}
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(zstdWindow),
		zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
	if err != nil {
		panic(err) // the options are constants
	}
	return e
}

// Encoders is what all policies together encode with. It is safe for concurrent
// use.
type Encoders struct {
	most   int64
	inUse  atomic.Int64
	bodies [algorithms]sync.Pool
}

// NewEncoders returns encoders for at most that many responses at a time; 0 is
// 256.
func NewEncoders(most int) *Encoders {
	if most <= 0 {
		most = 256
	}
	return &Encoders{most: int64(most)}
}

// take returns a body that is not in use; nil if there may be no more.
func (e *Encoders) take(a algorithm) *Body {
	if e.inUse.Add(1) > e.most {
		e.inUse.Add(-1)
		return nil
	}
	b, _ := e.bodies[a].Get().(*Body)
	if b == nil {
		b = &Body{encoders: e, algorithm: a, encoder: newEncoder(a)}
	}
	b.encoder.Reset(&b.out)
	return b
}

func (e *Encoders) give(b *Body) {
	e.bodies[b.algorithm].Put(b)
	e.inUse.Add(-1)
}
