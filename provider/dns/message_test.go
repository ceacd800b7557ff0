package dns

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

var webA = question{"web.example.", dnsmessage.TypeA}

// An answer is made of records, in the simplest way.
func answer(t testing.TB, h dnsmessage.Header, q question, sections ...[]dnsmessage.Resource) []byte {
	t.Helper()
	sections = append(sections, nil, nil, nil)
	h.Response = true
	m := dnsmessage.Message{
		Header:    h,
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(q.name), Type: q.typ, Class: dnsmessage.ClassINET}},
		Answers:   sections[0], Authorities: sections[1], Additionals: sections[2],
	}
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func resource(owner string, ttl uint32, body dnsmessage.ResourceBody) dnsmessage.Resource {
	return dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(owner), Class: dnsmessage.ClassINET, TTL: ttl}, Body: body}
}

func addressOf(owner string, last byte) dnsmessage.Resource {
	return resource(owner, 60, &dnsmessage.AResource{A: [4]byte{10, 0, 0, last}})
}

func alias(owner, to string, ttl uint32) dnsmessage.Resource {
	return resource(owner, ttl, &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName(to)})
}

func TestMessage_AnswersOnlyWhatWasAsked(t *testing.T) {
	good := dnsmessage.Header{ID: 7, RecursionAvailable: true}
	right := answer(t, good, webA, []dnsmessage.Resource{addressOf("web.example.", 1)})
	edited := func(edit func(b []byte)) []byte {
		b := append([]byte(nil), right...)
		edit(b)
		return b
	}
	for name, b := range map[string][]byte{
		"nothing":             nil,
		"half a header":       right[:7],
		"another id":          answer(t, dnsmessage.Header{ID: 8}, webA),
		"a question":          edited(func(b []byte) { b[2] &^= 0x80 }),
		"another operation":   edited(func(b []byte) { b[2] |= 5 << 3 }),
		"no question":         edited(func(b []byte) { b[5] = 0 }),
		"two questions":       edited(func(b []byte) { b[5] = 2 }),
		"another name":        answer(t, good, question{"web.example.org.", dnsmessage.TypeA}),
		"another type":        answer(t, good, question{"web.example.", dnsmessage.TypeAAAA}),
		"half of its content": right[:20],
	} {
		if _, err := readMessage(b, 7, webA); !errors.Is(err, errNotOurs) {
			t.Errorf("%s: the error is %v, want %v", name, err, errNotOurs)
		}
	}
	for name, b := range map[string][]byte{
		"a record is missing":        edited(func(b []byte) { b[7] = 2 }),
		"a record ends early":        right[:len(right)-1],
		"an address of three bytes":  edited(func(b []byte) { b[len(b)-5] = 3 }),
		"an address that is too big": edited(func(b []byte) { b[len(b)-5] = 5 }),
	} {
		if _, err := readMessage(b, 7, webA); err == nil || errors.Is(err, errNotOurs) {
			t.Errorf("%s: the error is %v, want one that says what cannot be read", name, err)
		}
	}
	m, err := readMessage(answer(t, good, question{"WEB.example.", dnsmessage.TypeA}, []dnsmessage.Resource{addressOf("Web.Example.", 1)}), 7, webA)
	if err != nil || len(m.answers) != 1 || m.answers[0].owner != "web.example." {
		t.Errorf("an answer in capitals is %+v (%v)", m, err)
	}
}

func TestFollow_GoesAlongAliases(t *testing.T) {
	good := dnsmessage.Header{ID: 7, RecursionAvailable: true}
	read := func(records ...dnsmessage.Resource) message {
		t.Helper()
		m, err := readMessage(answer(t, good, webA, records), 7, webA)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	links := 0
	m := read(addressOf("b.example.", 1), alias("a.example.", "B.example.", 5), addressOf("stranger.example.", 9), alias("web.example.", "a.example.", 30), addressOf("b.example.", 2))
	r, end, err := m.follow(webA, &links)
	if err != nil || len(r.records) != 2 || end != "b.example." || r.ttl.Seconds() != 5 || links != 2 {
		t.Errorf("two aliases lead to %v at %s for %v over %d links (%v)", r.records, end, r.ttl, links, err)
	}
	links = 0
	if _, _, err := read(alias("web.example.", "a.example.", 5), alias("a.example.", "web.example.", 5)).follow(webA, &links); err == nil || !strings.Contains(err.Error(), "aliases") {
		t.Errorf("a loop ends with %v", err)
	}
	links = 0
	_, end, err = read(alias("web.example.", "elsewhere.example.", 5)).follow(webA, &links)
	if err != nil || end != "elsewhere.example." {
		t.Errorf("an alias without its addresses leads to %s (%v)", end, err)
	}
	contrary := read(addressOf("web.example.", 1))
	contrary.rcode = dnsmessage.RCodeNameError
	if _, _, err := contrary.follow(webA, &links); err == nil {
		t.Error("an answer that contradicts itself is believed")
	}
}

func TestMessage_SaysHowLongNothingIsKept(t *testing.T) {
	name := dnsmessage.MustNewName("example.")
	soa := resource("example.", 300, &dnsmessage.SOAResource{NS: name, MBox: name, MinTTL: 20})
	b := answer(t, dnsmessage.Header{ID: 7, RCode: dnsmessage.RCodeNameError}, webA, nil, []dnsmessage.Resource{soa})
	m, err := readMessage(b, 7, webA)
	if err != nil || m.negative.Seconds() != 20 || m.problem() != nil {
		t.Errorf("it is kept for %v (%v, %v), want 20s", m.negative, err, m.problem())
	}
}

func TestMessage_IsAProblemIfItSaysNothingOfTheName(t *testing.T) {
	for want, h := range map[string]dnsmessage.Header{
		"SERVFAIL":       {RCode: dnsmessage.RCodeServerFailure},
		"REFUSED":        {RCode: dnsmessage.RCodeRefused},
		"code 9":         {RCode: 9},
		"does not serve": {},
		"":               {Authoritative: true},
		" ":              {RecursionAvailable: true},
		"FORMERR":        {RCode: dnsmessage.RCodeFormatError},
		"NOTIMP":         {RCode: dnsmessage.RCodeNotImplemented},
		"  ":             {RCode: dnsmessage.RCodeNameError},
		"code 16":        {},
	} {
		var extra []dnsmessage.Resource
		if want == "code 16" {
			var opt dnsmessage.ResourceHeader
			if err := opt.SetEDNS0(udpSize, 16, false); err != nil {
				t.Fatal(err)
			}
			extra = []dnsmessage.Resource{{Header: opt, Body: &dnsmessage.OPTResource{}}}
		}
		m, err := readMessage(answer(t, h, webA, nil, nil, extra), 0, webA)
		if err != nil {
			t.Fatal(err)
		}
		problem := m.problem()
		if want = strings.TrimSpace(want); (problem == nil) != (want == "") || problem != nil && !strings.Contains(problem.Error(), want) {
			t.Errorf("%+v is the problem %v, want %q", h, problem, want)
		}
	}
}

func FuzzReadMessage(f *testing.F) {
	q := question{"_http._tcp.web.example.", dnsmessage.TypeSRV}
	h := dnsmessage.Header{ID: 7, RecursionAvailable: true}
	target := dnsmessage.MustNewName("a.example.")
	f.Add(answer(f, h, q, []dnsmessage.Resource{resource(q.name, 5, &dnsmessage.SRVResource{Priority: 1, Weight: 2, Port: 3, Target: target})}, nil, []dnsmessage.Resource{addressOf("a.example.", 1)}))
	f.Add(answer(f, h, q, []dnsmessage.Resource{alias(q.name, "a.example.", 1), alias("a.example.", q.name, 1)}))
	f.Add(answer(f, h, q, nil, []dnsmessage.Resource{resource("example.", 5, &dnsmessage.SOAResource{NS: target, MBox: target})}))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := readMessage(b, 7, q)
		if err != nil {
			return
		}
		links := 0
		r, end, err := m.follow(q, &links)
		if err != nil {
			return
		}
		if links > maxLinks || r.ttl < 0 || len(end) > maxName+2 {
			t.Errorf("it ends at %q after %d links, for %v", end, links, r.ttl)
		}
		var places []place
		for _, rec := range append(r.records, r.extra...) {
			if rec.typ == dnsmessage.TypeSRV && rec.name == "" || rec.typ != dnsmessage.TypeSRV && rec.typ != dnsmessage.TypeCNAME && !rec.addr.IsValid() {
				t.Errorf("%+v lacks what it says", rec)
			}
			if rec.addr.IsValid() {
				places = append(places, place{weight: 1})
			}
		}
		_ = weights(places)
	})
}
