package attack

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// Random bytes, random frames and frames with one wrong byte, as an answer to a
// request of the ordinary traffic. Each is made of the seed in its name.
func TestGarbage_HarmsNobody(t *testing.T) {
	s := besiege(t, nil)
	for seed := range rounds(400) {
		v := s.infiltrate("Weir-Instance: garbage").begin()
		r := v.await()
		random := rand.New(rand.NewPCG(uint64(seed), 1))
		for range 1 + random.IntN(4) {
			v.write(garbage(random, v, r.stream))
		}
		v.leave()
		s.awaitLeft(seed+1, "garbage", "")
		s.traffic.mu.Lock()
		wrong := len(s.traffic.wrong)
		s.traffic.mu.Unlock()
		if wrong > 0 {
			t.Fatalf("it is the garbage of seed %d", seed)
		}
	}
	s.lift()
}

// garbage never makes a response that the router could take for one: it has no
// status.
func garbage(random *rand.Rand, v *villain, stream uint32) []byte {
	bytes := make([]byte, random.IntN(3000))
	for i := range bytes {
		bytes[i] = byte(random.Uint32())
	}
	switch random.IntN(4) {
	case 0:
		return bytes
	case 1: // a frame of any kind on any stream
		return frame(kind(random.IntN(12)), byte(random.Uint32()), random.Uint32N(2*stream+4), bytes)
	case 2: // one that is right but for a byte, or a few
		f := frame(headers, endHeaders, stream, v.encode("x-name", "value", "y", fmt.Sprint(random.Uint64())))
		for range 1 + random.IntN(3) {
			f[random.IntN(len(f))] = byte(random.Uint32())
		}
		return f
	default: // its length is wrong
		f := frame(kind(random.IntN(10)), 0, stream, bytes)
		f[0], f[1] = 0, byte(random.Uint32N(0x41))
		return f
	}
}
