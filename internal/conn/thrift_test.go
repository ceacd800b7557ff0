package conn

import "testing"

func TestThrift_GivesBackOnceParkingHasSettled(t *testing.T) {
	var due []uint64
	var th thrift
	for now := uint64(1); now < 3000; now++ {
		if now <= 100 || now >= 200 && now < 300 { // 2000 connections, and soon 2000 more
			for range 20 {
				th.note(now)
			}
		}
		if th.isDue(now) {
			due = append(due, now)
		}
	}
	if len(due) != 2 || due[0] != 105 || due[1] != 105+1200 {
		t.Errorf("memory is given back in ticks %v; want soon after 100, and a minute later", due)
	}
}

func TestThrift_DoesNotBotherForFew(t *testing.T) {
	var th thrift
	for range worthwhile - 1 {
		th.note(1)
	}
	if th.isDue(1 << 20) {
		t.Error("memory is given back for a few connections")
	}
}
