package conn

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
)

// BufferSize is how many bytes a Buffer holds before it has to grow: most
// requests and most responses with their content.
const BufferSize = 16 << 10

// ErrBufferFull is returned by Fill when a buffer may not grow any more.
var ErrBufferFull = errors.New("buffer full")

var memory = sync.Pool{New: func() any { return new(Memory) }}

// poison makes released memory unreadable, in tests: whoever still holds a slice
// of it sees at once that it is not his.
var poison atomic.Bool

const poisonByte = 0xDB

// Poison switches the poisoning of released buffers on or off. It is for tests.
func Poison(on bool) { poison.Store(on) }

// Memory is one piece of pooled memory.
type Memory = [BufferSize]byte

// Borrow takes memory from the pool. Give it back with Return.
func Borrow() *Memory { return memory.Get().(*Memory) }

// Return gives memory back. Slices of it are dead from then on.
func Return(m *Memory) {
	if poison.Load() {
		for i := range m {
			m[i] = poisonByte
		}
	}
	memory.Put(m)
}

// A Buffer holds what has arrived on a connection and was not consumed yet. Its
// memory comes from a pool when it is needed and goes back on Release. The zero
// value is an empty buffer.
type Buffer struct {
	mem  []byte
	home *Memory
	r, w int
}

// Bytes returns what was received and not consumed; valid until the next call of
// Space, Compact or Release.
func (b *Buffer) Bytes() []byte { return b.mem[b.r:b.w] }

// Len returns the number of bytes received and not consumed.
func (b *Buffer) Len() int { return b.w - b.r }

// Consume forgets the first n bytes.
func (b *Buffer) Consume(n int) {
	b.r += n
	if b.r == b.w { // nothing left: the next read has all the room
		b.r, b.w = 0, 0
	}
}

// Space returns room to read into, at least one byte, taking memory from the
// pool for the first. Bytes received move to the front if that is where the room
// is. If it would take more than limit bytes in all, it returns nil.
func (b *Buffer) Space(limit int) []byte {
	switch {
	case b.mem == nil:
		b.home = Borrow()
		b.mem = b.home[:]
	case b.w < len(b.mem):
	case b.r > 0:
		b.Compact()
	case len(b.mem) < limit:
		b.grow(limit)
	default:
		return nil
	}
	return b.mem[b.w:]
}

// Received notes that n bytes were read into Space.
func (b *Buffer) Received(n int) { b.w += n }

// Compact moves what was received to the front.
func (b *Buffer) Compact() {
	b.w = copy(b.mem, b.mem[b.r:b.w])
	b.r = 0
}

func (b *Buffer) grow(limit int) {
	mem := make([]byte, min(2*len(b.mem), max(limit, BufferSize)))
	n := copy(mem, b.mem[b.r:b.w])
	b.Release()
	b.mem, b.r, b.w = mem, 0, n
}

// Release gives the memory back. Slices of it are dead from then on.
func (b *Buffer) Release() {
	if b.home != nil {
		Return(b.home)
	}
	*b = Buffer{}
}

// Fill reads once from c into the buffer, waiting for at least one byte, and
// growing it up to limit.
func (b *Buffer) Fill(c Conn, limit int) error {
	p := b.Space(limit)
	if p == nil {
		return ErrBufferFull
	}
	n, err := c.Read(p)
	b.Received(n)
	if n > 0 {
		return nil
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}
