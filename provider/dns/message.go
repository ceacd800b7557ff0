package dns

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	// maxName is the longest name, without the dot at its end.
	maxName = 253
	// maxLinks bounds how many aliases (CNAME records) lead to a name.
	maxLinks = 16
	// udpSize is the longest answer that is asked for over UDP: one that is not cut
	// into fragments on the way (DNS flag day 2020).
	udpSize = 1232
)

// A question is for the records of one type that a name has. The name is complete, in
// lower case, with a dot at its end.
type question struct {
	name string
	typ  dnsmessage.Type
}

// String returns the question in words: "A of web.example.".
func (q question) String() string {
	return strings.TrimPrefix(q.typ.String(), "Type") + " of " + q.name
}

// A record says an address, a target, or another name for an alias.
type record struct {
	owner string
	typ   dnsmessage.Type
	ttl   time.Duration

	addr                   netip.Addr // of A and AAAA
	priority, weight, port uint16     // of SRV
	name                   string     // of SRV and CNAME, in lower case
}

// A message is an answer as one server gave it.
type message struct {
	rcode     dnsmessage.RCode
	truncated bool
	// knows tells that the server is one to say what is not there: it has authority,
	// or asks those who have.
	knows bool
	// answers are records of the answer, extra those that may help.
	answers, extra []record
	// negative is how long it may be kept that there is nothing; -1 if it is not said.
	negative time.Duration
}

var errNotOurs = errors.New("it is not an answer to the question")

// appendQuestion appends the message that asks.
func appendQuestion(b []byte, id uint16, q question, extended bool) ([]byte, error) {
	name, err := dnsmessage.NewName(q.name)
	if err != nil {
		return nil, err
	}
	m := dnsmessage.NewBuilder(b, dnsmessage.Header{ID: id, RecursionDesired: true})
	if err := m.StartQuestions(); err != nil {
		return nil, err
	}
	if err := m.Question(dnsmessage.Question{Name: name, Type: q.typ, Class: dnsmessage.ClassINET}); err != nil {
		return nil, err
	}
	if extended {
		var h dnsmessage.ResourceHeader
		if err := errors.Join(m.StartAdditionals(), h.SetEDNS0(udpSize, 0, false), m.OPTResource(h, dnsmessage.OPTResource{})); err != nil {
			return nil, err
		}
	}
	return m.Finish()
}

// readMessage reads an answer. The error is errNotOurs if it answers something else, or
// nothing: whoever sent it may not have been asked.
func readMessage(b []byte, id uint16, q question) (message, error) {
	var p dnsmessage.Parser
	h, err := p.Start(b)
	if err != nil || h.ID != id || !h.Response || h.OpCode != 0 {
		return message{}, errNotOurs
	}
	asked, err := p.Question()
	if err != nil || asked.Class != dnsmessage.ClassINET || asked.Type != q.typ || lower(asked.Name) != q.name {
		return message{}, errNotOurs
	}
	if err := p.SkipQuestion(); !errors.Is(err, dnsmessage.ErrSectionDone) {
		return message{}, errNotOurs
	}
	m := message{rcode: h.RCode, truncated: h.Truncated, knows: h.Authoritative || h.RecursionAvailable, negative: -1}
	if h.Truncated {
		return m, nil // what is there may end anywhere
	}
	return m, m.readRecords(&p)
}

// readRecords reads the three sections of records.
func (m *message) readRecords(p *dnsmessage.Parser) error {
	err := each(p.AnswerHeader, p.SkipAnswer, func(h dnsmessage.ResourceHeader) (bool, error) {
		return readRecord(p, h, &m.answers)
	})
	if err != nil {
		return fmt.Errorf("its answers: %w", err)
	}
	err = each(p.AuthorityHeader, p.SkipAuthority, func(h dnsmessage.ResourceHeader) (bool, error) {
		return m.readAuthority(p, h)
	})
	if err != nil {
		return fmt.Errorf("its authorities: %w", err)
	}
	err = each(p.AdditionalHeader, p.SkipAdditional, func(h dnsmessage.ResourceHeader) (bool, error) {
		if h.Type == dnsmessage.TypeOPT {
			m.rcode = h.ExtendedRCode(m.rcode)
			return false, nil
		}
		return readRecord(p, h, &m.extra)
	})
	if err != nil {
		return fmt.Errorf("its additional records: %w", err)
	}
	return nil
}

// each reads the records of one section: read says whether it has taken the record.
func each(next func() (dnsmessage.ResourceHeader, error), skip func() error, read func(dnsmessage.ResourceHeader) (bool, error)) error {
	for {
		h, err := next()
		if errors.Is(err, dnsmessage.ErrSectionDone) {
			return nil
		}
		if err != nil {
			return err
		}
		taken, err := read(h)
		if err == nil && !taken {
			err = skip()
		}
		if err != nil {
			return err
		}
	}
}

// readAuthority reads how long it may be kept that there is nothing (RFC 2308).
func (m *message) readAuthority(p *dnsmessage.Parser, h dnsmessage.ResourceHeader) (bool, error) {
	if h.Type != dnsmessage.TypeSOA {
		return false, nil
	}
	soa, err := p.SOAResource()
	m.negative = min(ttl(h.TTL), ttl(soa.MinTTL))
	return true, err
}

// sizes are those of addresses.
var sizes = map[dnsmessage.Type]uint16{dnsmessage.TypeA: 4, dnsmessage.TypeAAAA: 16}

// readRecord appends a record to list, if it is of a type that matters.
func readRecord(p *dnsmessage.Parser, h dnsmessage.ResourceHeader, list *[]record) (taken bool, err error) {
	if h.Class != dnsmessage.ClassINET {
		return false, nil
	}
	if size, fixed := sizes[h.Type]; fixed && h.Length != size {
		return false, fmt.Errorf("%v has %d bytes", h.Type, h.Length)
	}
	r := record{owner: lower(h.Name), typ: h.Type, ttl: ttl(h.TTL)}
	switch h.Type {
	case dnsmessage.TypeA:
		a, e := p.AResource()
		r.addr, err = netip.AddrFrom4(a.A), e
	case dnsmessage.TypeAAAA:
		a, e := p.AAAAResource()
		r.addr, err = netip.AddrFrom16(a.AAAA).Unmap(), e
	case dnsmessage.TypeCNAME:
		c, e := p.CNAMEResource()
		r.name, err = lower(c.CNAME), e
	case dnsmessage.TypeSRV:
		s, e := p.SRVResource()
		r.priority, r.weight, r.port, r.name, err = s.Priority, s.Weight, s.Port, lower(s.Target), e
	default:
		return false, nil
	}
	if err != nil {
		return false, err
	}
	*list = append(*list, r)
	return true, nil
}

// ttl is a TTL of the wire; one with the highest bit set is 0 (RFC 2181 §8).
func ttl(seconds uint32) time.Duration {
	if seconds > 1<<31-1 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// lower writes a name in lower case; only that of ASCII counts (RFC 4343).
func lower(n dnsmessage.Name) string { return lowerText(n.String()) }

func lowerText(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
