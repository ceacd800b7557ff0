package attack

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
)

// What a token does not allow, in every way to ask for it.
func TestDoor_NobodyServesWhatHisTokenDoesNotAllow(t *testing.T) {
	s := besiege(t, nil)
	for _, tc := range []struct {
		fields string
		status int
	}{
		{"Weir-Service: shop|Weir-Version: v1", 101},
		{"Weir-Service: shop|Weir-Version: v2", 403},
		{"Weir-Service: shop", 403},
		{"Weir-Service: default|Weir-Version: v1", 403},
		{"Weir-Service: prey|Weir-Version: v1", 403},
		{"Weir-Service: aside|Weir-Version: v1", 403},
		{"Weir-Service: Default", 403},
		{"Weir-Service: DEFAULT", 403},
		{"Weir-Service: SHOP|Weir-Version: v1", 403},
		{"Weir-Service: shop|Weir-Version: V1", 403},
		{"Weir-Service: shop@v1", 400},
		{"Weir-Service: shop@*", 400},
		{"Weir-Service: *", 400},
		{"Weir-Service: shop|Weir-Version: *", 400},
		{"Weir-Service: |Weir-Version: v1", 400},
		{"Weir-Service: shop|Weir-Version:", 400},
		{"Weir-Service: sho%70|Weir-Version: v1", 400},
		{"Weir-Service: ../aside|Weir-Version: v1", 400},
		{"Weir-Service: aside/v1", 400},
		{"Weir-Service: ..", 400},
		{"Weir-Service: default, aside", 400},
		{"Weir-Service: default|Weir-Service: aside", 400},
		{"Weir-Service: default|weir-service: default", 400},
		{"Weir-Service: aside|Connection: weir-service", 400},
		{"Weir_Service: aside", 101}, // is no field of ours: service default
		{"Weir-Service : aside", 400},
		{"Weir-Instance: honest honest", 400},
		{"Weir-Instance: " + strings.Repeat("x", 129), 400},
		{"Weir-Weight: 0", 400},
		{"Weir-Weight: 1001", 400},
		{"Weir-Weight: -1", 400},
		{"Weir-Weight: 1e3", 400},
		{"Weir-Labels: a=1,a=2", 400},
		{"Weir-Labels: " + strings.Repeat("a=1,", 40), 400},
		{"Weir-Labels: a=%0d%0a", 400},
	} {
		nc, _, answer := handshake(t, s.workers, append(strings.Split(tc.fields, "|"), bearer(tokenOfVillain))...)
		if answer.StatusCode != tc.status {
			t.Errorf("%s was answered %d, want %d", tc.fields, answer.StatusCode, tc.status)
		}
		if tc.status == 403 && s.log.total(`msg="a worker was refused" .*status=403 error=service_forbidden`) == 0 {
			t.Errorf("%s was refused, and nothing says so in the log", tc.fields)
		}
		_ = nc.Close()
	}
	s.lift()
}

// Tokens are secrets to the byte.
func TestDoor_TokensAreComparedToTheByte(t *testing.T) {
	s := besiege(t, nil)
	token := tokenOfVillain
	for _, tc := range []struct {
		fields string
		status int
	}{
		{"Authorization: Bearer " + token, 101},
		{"authorization: bearer " + token, 101}, // the scheme has no case (RFC 9110 §11.1)
		{"Authorization: Bearer " + strings.ToUpper(token), 401},
		{"Authorization: Bearer " + strings.ToUpper(token[:1]) + token[1:], 401},
		{"Authorization: Bearer " + token[:len(token)-1], 401},
		{"Authorization: Bearer " + token + "x", 401},
		{"Authorization: Bearer x" + token, 401},
		{"Authorization: Bearer " + token + "," + token, 401},
		{"Authorization: Bearer " + token + " " + token, 401},
		{"Authorization: Bearer \t" + token, 401},
		{"Authorization: Bearer\t" + token, 401},
		{"Authorization: Bearer " + token[:5] + " " + token[5:], 401},
		{`Authorization: Bearer "` + token + `"`, 401},
		{"Authorization: Bearer " + token + "\x00", 400},
		{"Authorization: Bearer " + token + "\xa0", 401},
		{"Authorization: Bearer", 401},
		{"Authorization: Bearer ", 401},
		{"Authorization: ", 401},
		{"Authorization: " + token, 401},
		{"Authorization: Basic " + token, 401},
		{"Authorization: Bearer tokens[1]", 401},
		{"X-Authorization: Bearer " + token, 401},
		{"Proxy-Authorization: Bearer " + token, 401},
		{"Cookie: token=" + token, 401},
		{"Authorization: Bearer " + token + "|Authorization: Bearer " + token, 400},
		{"Authorization: Bearer " + token + "|Authorization: Bearer wrong", 400},
		{"Authorization: Bearer wrong|Authorization: Bearer " + token, 400},
		{"Authorization: Bearer wrong|authorization: Bearer " + token, 400},
		{"Authorization: Bearer " + token + "|Connection: authorization", 400},
		{"Authorization: Bearer|\t" + token, 400}, // obs-fold
		{"Authorization : Bearer " + token, 400},
	} {
		nc, _, answer := handshake(t, s.workers, strings.Split(tc.fields, "|")...)
		if answer.StatusCode != tc.status {
			t.Errorf("%q was answered %d, want %d", tc.fields, answer.StatusCode, tc.status)
		}
		_ = nc.Close()
	}
	if s.log.total(token) > 0 || s.log.total(strings.ToUpper(token)) > 0 {
		t.Error("a token is in the log")
	}
	s.lift()
}

// Whoever calls himself like another's instance, with another credential, is
// somebody else.
func TestDoor_InstancesOfOthersCannotBeJoinedOrReplaced(t *testing.T) {
	s := besiege(t, func(c *weir.Config) { c.Admin = config.Admin{Address: "127.0.0.1:0"} })
	v := s.infiltrate("Weir-Instance: honest", "Weir-Weight: 1000").begin(maxStreams, 3)
	s.log.await(t, 2, `msg="a worker attached" .*instance=honest`)
	nc, err := net.Dial("tcp", s.AdminAddress())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(nc, "GET /v1/services/default HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", s.AdminAddress())
	text, _ := io.ReadAll(nc)
	_ = nc.Close()
	for _, part := range []string{`"name": "honest"`, `"name": "honest (tokens[1])"`, `"concurrency": 3`} {
		if !strings.Contains(string(text), part) {
			t.Errorf("the API does not show %s: %s", part, text)
		}
	}
	// It drains and leaves in every way: the honest one stays.
	v.write(frame(goAway, 0, 0, make([]byte, 8)))
	s.awaitLeft(1, "honest", "")
	v.leave()
	s.traffic.await(t, 20)
	s.lift()
}

// One instance has 16 connections at most, also when all of them are attached
// before one of them has said a word of HTTP/2.
func TestDoor_InstancesHaveSoManyConnections(t *testing.T) {
	s := besiege(t, nil)
	const most = 16
	var villains []*villain
	for range 4 * most {
		villains = append(villains, s.infiltrate("Weir-Instance: many"))
	}
	for _, v := range villains {
		v.begin(maxStreams, 0)
	}
	s.log.await(t, 3*most, `msg="a worker was not taken" .*instance_conflict`)
	if n := s.log.total(`msg="a worker attached" .*instance=many`); n != most {
		t.Errorf("%d connections of one instance are attached, want %d", n, most)
	}
	nc, _, answer := handshake(t, s.workers, "Weir-Instance: many", bearer(tokenOfVillain))
	if answer.StatusCode != http.StatusConflict {
		t.Errorf("one more connection of the instance is answered %d, want 409", answer.StatusCode)
	}
	_ = nc.Close()
	for _, v := range villains {
		v.leave()
	}
	s.awaitLeft(most, "many", "")
	if nc, _, answer := handshake(t, s.workers, "Weir-Instance: many", bearer(tokenOfVillain)); answer.StatusCode != 101 {
		t.Errorf("when they have left, it is answered %d, want 101", answer.StatusCode)
	} else {
		_ = nc.Close()
	}
	s.lift()
}

// Those who begin and do not go on take each other's places, and nobody else's.
func TestDoor_HalfOpenHandshakesKeepNobodyOut(t *testing.T) {
	s := besiege(t, nil)
	var open []net.Conn
	text := asking(bearer(tokenOfVillain))
	for i := range rounds(1000) {
		nc, err := net.Dial("tcp", s.workers)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = nc.Close() })
		_, _ = io.WriteString(nc, text[:i%len(text)])
		open = append(open, nc)
		if i%100 == 99 {
			for _, nc := range open { // one byte more each
				_, _ = nc.Write([]byte{'x'})
			}
			v := s.infiltrate("Weir-Instance: between").begin(maxStreams, 0)
			s.log.await(t, i/100+1, `msg="a worker attached" .*instance=between`)
			v.leave()
		}
	}
	if n := measure().descriptors - s.before.descriptors - len(open); n > 256+16 {
		t.Errorf("the router keeps %d descriptors for them, more than 256", n)
	}
	for _, nc := range open {
		_ = nc.Close()
	}
	s.lift()
}

// After the 101, anything but HTTP/2.
func TestDoor_WhatIsNotHTTP2IsNotTaken(t *testing.T) {
	s := besiege(t, nil)
	for name, said := range map[string]string{
		"preface":     preface + string(frame(settings, 0, 0, nil)),
		"half":        preface[:10],
		"response":    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"request":     "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"tls":         "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x00", 512),
		"zeros":       strings.Repeat("\x00", 1000),
		"ping-first":  string(frame(ping, 0, 0, make([]byte, 8))),
		"ack-first":   string(frame(settings, ack, 0, nil)),
		"head-first":  string(frame(headers, endHeaders, 1, []byte{0x88})),
		"huge-first":  string(frame(settings, 0, 0, make([]byte, 6*1000))),
		"goaway":      string(frame(goAway, 0, 0, make([]byte, 8))),
		"half-frame":  string(frame(settings, 0, 0, make([]byte, 60))[:20]),
		"push-enable": string(frame(settings, 0, 0, settingsOf(2, 1))),
	} {
		v := s.infiltrate("Weir-Instance: " + name)
		at := s.log.total(`msg="a worker was not taken" .*error=`)
		v.write([]byte(said))
		if strings.HasPrefix(name, "half") {
			v.leave()
		}
		s.log.await(t, at+1, `msg="a worker was not taken" .*error=`)
		v.leave()
	}
	if n := s.log.total(`msg="a worker attached"`); n != len(s.honest) {
		t.Errorf("%d workers have attached, want the %d honest ones", n, len(s.honest))
	}
	s.lift()
}

// Attach and leave, as fast as it goes, eight at a time.
func TestDoor_ComingAndGoingLeavesNothing(t *testing.T) {
	s := besiege(t, nil)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range rounds(60) {
				comeAndGo(s, fmt.Sprintf("fleeting-%d-%d", i, n), n)
			}
		})
	}
	all.Wait()
	s.lift()
}

// comeAndGo attaches and leaves at one moment or another.
func comeAndGo(s *siege, instance string, how int) {
	nc, err := net.Dial("tcp", s.workers)
	if err != nil {
		s.t.Error(err)
		return
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(soon))
	_, _ = io.WriteString(nc, asking(bearer(tokenOfVillain), "Weir-Instance: "+instance))
	if how%5 == 0 {
		return
	}
	r := bufio.NewReader(nc)
	if answer, err := http.ReadResponse(r, nil); err != nil || answer.StatusCode != 101 {
		s.t.Errorf("%s was not let in (%v)", instance, err)
		return
	}
	if how%5 == 1 {
		return
	}
	_, _ = nc.Write(frame(settings, 0, 0, nil))
	if how%5 == 2 {
		return
	}
	if _, err := io.ReadFull(r, make([]byte, len(preface)+9)); err != nil {
		s.t.Errorf("%s gets no preface: %v", instance, err)
	}
	if how%5 == 3 {
		_, _ = nc.Write(frame(goAway, 0, 0, make([]byte, 8)))
	}
}

// Who opens the door and says nothing, before the 101 or after it, has ten seconds.
func TestDoor_SilenceEndsByItself(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes ten seconds")
	}
	s := besiege(t, nil)
	nc, err := net.Dial("tcp", s.workers)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	v := s.infiltrate("Weir-Instance: silent")
	s.log.await(t, 1, `msg="a worker was not taken" .*error="the peer is silent"`)
	_ = nc.SetReadDeadline(time.Now().Add(soon))
	if answer, err := http.ReadResponse(bufio.NewReader(nc), nil); err == nil && answer.StatusCode != http.StatusRequestTimeout {
		t.Errorf("who said nothing is answered %d", answer.StatusCode)
	}
	_ = nc.Close()
	v.leave()
	s.lift()
}
