package conn

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"testing"
)

func fill(b *Buffer, limit int, text string) {
	for len(text) > 0 {
		n := copy(b.Space(limit), text)
		b.Received(n)
		text = text[n:]
	}
}

func TestBuffer_TakesMemoryOnlyWhenNeeded(t *testing.T) {
	var b Buffer
	if b.Len() != 0 || len(b.Bytes()) != 0 || b.mem != nil {
		t.Error("the zero value is not an empty buffer")
	}
	b.Release()
	if got := len(b.Space(1)); got != BufferSize {
		t.Errorf("the first space has %d bytes, want %d whatever the limit", got, BufferSize)
	}
	b.Release()
	if b.mem != nil || b.home != nil {
		t.Error("a released buffer holds memory")
	}
}

func TestBuffer_MovesUpBeforeItGrows(t *testing.T) {
	var b Buffer
	defer b.Release()
	fill(&b, BufferSize, string(make([]byte, BufferSize)))
	b.Consume(100)
	if got := len(b.Space(1 << 20)); got != 100 {
		t.Errorf("with 100 bytes consumed there is room for %d, want those 100", got)
	}
	if len(b.mem) != BufferSize {
		t.Errorf("it has grown to %d bytes although there was room", len(b.mem))
	}
}

func TestBuffer_GrowsUpToItsLimit(t *testing.T) {
	const limit = 3 * BufferSize
	var b Buffer
	defer b.Release()
	sent := random(limit)
	fill(&b, limit, string(sent))
	if !bytes.Equal(b.Bytes(), sent) {
		t.Error("growing has changed what was received")
	}
	if b.Space(limit) != nil {
		t.Errorf("a full buffer of %d bytes has room beyond its limit", limit)
	}
	c, peer, _ := wirings[0].open(t)
	write(t, peer, "more")
	if err := b.Fill(c, limit); !errors.Is(err, ErrBufferFull) {
		t.Errorf("filling a full buffer returns %v", err)
	}
	b.Consume(1)
	if got := len(b.Space(limit)); got != 1 {
		t.Errorf("after one byte is consumed there is room for %d", got)
	}
}

func TestBuffer_PoisonsWhatIsReleased(t *testing.T) {
	var b Buffer
	fill(&b, BufferSize, "GET / HTTP/1.1")
	kept := b.Bytes()
	b.Release()
	if !bytes.Equal(kept, bytes.Repeat([]byte{poisonByte}, len(kept))) {
		t.Errorf("a slice of released memory still reads %q", kept)
	}
}

func TestBuffer_FillTellsTheEnd(t *testing.T) {
	a, peer := net.Pipe()
	c := New(a, new(Watchdog), &owner{ended: make(chan Phase, 1)})
	defer c.Close()
	var b Buffer
	defer b.Release()
	write(t, peer, "last")
	if err := b.Fill(c, BufferSize); err != nil || string(b.Bytes()) != "last" {
		t.Errorf("Fill leaves %q, %v", b.Bytes(), err)
	}
	_ = peer.Close()
	if err := b.Fill(c, BufferSize); !errors.Is(err, io.EOF) || string(b.Bytes()) != "last" {
		t.Errorf("Fill at the end returns %v and leaves %q", err, b.Bytes())
	}
}

// FuzzBuffer runs a script of operations on a Buffer and on a slice that says
// what must be in it.
func FuzzBuffer(f *testing.F) {
	f.Add([]byte{0, 200, 1, 3, 0, 255, 2, 0, 1, 255, 0, 255, 0, 255, 3, 0, 0, 1})
	f.Add(bytes.Repeat([]byte{0, 255}, 40))
	f.Fuzz(func(t *testing.T, script []byte) {
		const limit = 5 * BufferSize / 2
		var b Buffer
		defer b.Release()
		var model []byte
		next := byte(0)
		for i := 0; i+1 < len(script) && i < 400; i += 2 {
			amount := int(script[i+1])
			switch script[i] % 4 {
			case 0:
				model, next = receive(t, &b, model, next, amount*300, limit)
			case 1:
				n := min(amount*200, len(model))
				b.Consume(n)
				model = model[n:]
			case 2:
				b.Compact()
			case 3:
				if amount == 0 {
					b.Release()
					model = nil
				}
			}
			if !bytes.Equal(b.Bytes(), model) || b.Len() != len(model) {
				t.Fatalf("after %d operations the buffer has %d bytes that are not the %d of the model", i/2+1, b.Len(), len(model))
			}
		}
	})
}

// receive has up to n bytes arrive, if there is room.
func receive(t *testing.T, b *Buffer, model []byte, next byte, n, limit int) ([]byte, byte) {
	room := b.Space(limit)
	if room == nil {
		if len(model) < limit {
			t.Fatalf("there is no room although only %d of %d bytes are held", len(model), limit)
		}
		return model, next
	}
	n = min(n, len(room))
	for i := range n {
		room[i] = next
		next++
	}
	b.Received(n)
	return append(model, room[:n]...), next
}

func random(n int) []byte {
	p := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(n)})
	_, _ = r.Read(p)
	return p
}
