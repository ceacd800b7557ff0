package attack

import (
	"net/http"
	"testing"

	"github.com/weirproxy/weir/config"
)

// A token is taken away while its worker has requests, again and again: clients
// see nothing of it, and whoever still has the token gets in no more.
func TestRevoke_WhileRequestsAreUnderWay(t *testing.T) {
	s := besiege(t, nil)
	with, without := s.cfg, s.cfg
	stripped := *s.cfg.Attach
	stripped.Tokens = []config.AttachToken{s.cfg.Attach.Tokens[0]}
	without.Attach = &stripped
	for i := range rounds(30) {
		v := s.infiltrate("Weir-Instance: revoked").begin()
		v.await()
		if err := s.Apply(without); err != nil {
			t.Fatal(err)
		}
		v.awaitEnd()
		s.awaitLeft(i+1, "revoked", "the credential was revoked")
		v.leave()
		nc, _, answer := handshake(t, s.workers, bearer(tokenOfVillain), "Weir-Instance: revoked")
		if answer.StatusCode != http.StatusUnauthorized {
			t.Fatalf("a token that was revoked is answered %d", answer.StatusCode)
		}
		_ = nc.Close()
		if err := s.Apply(with); err != nil {
			t.Fatal(err)
		}
	}
	s.lift()
}

// A worker that was let in, and has not said a word yet, is not attached by a token
// that was revoked meanwhile.
func TestRevoke_BeforeTheFirstWord(t *testing.T) {
	s := besiege(t, nil)
	v := s.infiltrate("Weir-Instance: slow")
	without := s.cfg
	stripped := *s.cfg.Attach
	stripped.Tokens = []config.AttachToken{s.cfg.Attach.Tokens[0]}
	without.Attach = &stripped
	if err := s.Apply(without); err != nil {
		t.Fatal(err)
	}
	v.begin()
	s.log.await(t, 1, `msg="a worker was not taken" .*error="the credential was revoked"`)
	if s.log.total(`msg="a worker attached" .*instance=slow`) > 0 {
		t.Error("it was attached")
	}
	v.leave()
	s.lift()
}
