package dns

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// unsaid is how long it is kept that there is nothing if nobody says how long.
const unsaid = 5 * time.Second

// An asker answers a question; the error says why it could not be answered.
type asker func(ctx context.Context, c conf, q question) (reply, error)

// A reply is what DNS says to a question. No records means that there are none.
type reply struct {
	records []record // of the type that was asked for
	extra   []record // addresses that came along
	ttl     time.Duration
}

// A client asks servers.
type client struct {
	// fond is the server that answered last, and is asked first.
	fond atomic.Pointer[string]
}

// ask is an asker. It follows aliases to where the answer of a server does not.
func (c *client) ask(ctx context.Context, conf conf, q question) (reply, error) {
	if isLocalhost(q.name) {
		return localhost(q), nil
	}
	links, at := 0, q
	var before time.Duration = 1<<63 - 1 // the smallest TTL on the way
	for {
		m, err := c.askServers(ctx, conf, at)
		if err != nil {
			return reply{}, fmt.Errorf("%v: %w", q, err)
		}
		r, end, err := m.follow(at, &links)
		if err != nil {
			return reply{}, fmt.Errorf("%v: %w", q, err)
		}
		before = min(before, r.ttl)
		r.ttl = before
		if len(r.records) > 0 || end == at.name || m.saysNothing() {
			return r, nil
		}
		at.name = end
	}
}

// localhost is the answer for a name of this machine.
func localhost(q question) reply {
	r := record{owner: q.name, typ: q.typ}
	switch q.typ {
	case dnsmessage.TypeA:
		r.addr = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case dnsmessage.TypeAAAA:
		r.addr = netip.IPv6Loopback()
	default:
		return reply{ttl: time.Hour}
	}
	return reply{records: []record{r}, ttl: time.Hour}
}

// saysNothing reports whether an answer says that there is nothing, whatever aliases
// lead there.
func (m message) saysNothing() bool {
	return m.rcode == dnsmessage.RCodeNameError || m.negative >= 0
}

// follow goes from a question along the aliases of an answer. It returns what the answer
// says, and the name at which it ends.
func (m message) follow(q question, links *int) (r reply, end string, err error) {
	r.ttl, r.extra = 1<<63-1, m.extra
	at := q.name
	for {
		var next string
		for _, rec := range m.answers {
			switch {
			case rec.owner != at:
			case rec.typ == q.typ:
				r.records = append(r.records, rec)
				r.ttl = min(r.ttl, rec.ttl)
			case rec.typ == dnsmessage.TypeCNAME && next == "":
				next = rec.name
				r.ttl = min(r.ttl, rec.ttl)
			}
		}
		if len(r.records) > 0 || next == "" {
			break
		}
		if *links++; *links > maxLinks {
			return reply{}, "", fmt.Errorf("more than %d aliases follow each other", maxLinks)
		}
		at = next
	}
	switch {
	case len(r.records) > 0 && m.rcode == dnsmessage.RCodeNameError:
		return reply{}, "", errors.New("an answer says that the name does not exist, and what it has")
	case len(r.records) > 0:
	case m.negative >= 0:
		r.ttl = min(r.ttl, m.negative)
	case at == q.name || m.saysNothing():
		r.ttl = min(r.ttl, unsaid)
	}
	return r, at, nil
}

// askServers asks one server after the other, the one that answered last first.
func (c *client) askServers(ctx context.Context, conf conf, q question) (message, error) {
	servers := slices.Clone(conf.servers)
	if fond := c.fond.Load(); fond != nil {
		slices.SortStableFunc(servers, func(a, b string) int {
			return boolOrder(b == *fond) - boolOrder(a == *fond)
		})
	}
	wrong := map[string]error{}
	for range conf.attempts {
		for _, server := range servers {
			m, err := query(ctx, server, q, conf.timeout)
			if err == nil {
				err = m.problem()
			}
			if err == nil {
				c.fond.Store(&server)
				return m, nil
			}
			if ctx.Err() != nil {
				return message{}, errors.New("the round of questions took too long")
			}
			wrong[server] = err
		}
	}
	return message{}, inOrder(conf.servers, wrong)
}

func boolOrder(b bool) int {
	if b {
		return 1
	}
	return 0
}

// inOrder joins what is wrong with servers, in the order in which they are named.
func inOrder(servers []string, wrong map[string]error) error {
	list := make([]string, len(servers))
	for i, server := range servers {
		list[i] = fmt.Sprintf("server %s: %v", server, wrong[server])
	}
	return errors.New(strings.Join(list, "; "))
}

// problem says why an answer is none.
func (m message) problem() error {
	switch {
	case m.rcode == dnsmessage.RCodeNameError:
		return nil
	case m.rcode != dnsmessage.RCodeSuccess:
		return fmt.Errorf("it answers %s", rcodeName(m.rcode))
	case len(m.answers) == 0 && !m.knows:
		// A referral, which says nothing of whether there is something.
		return errors.New("it does not serve the name, and asks nobody who does")
	default:
		return nil
	}
}

// rcodeName is the name of a response code as the RFCs write it.
func rcodeName(code dnsmessage.RCode) string {
	switch code {
	case dnsmessage.RCodeFormatError:
		return "FORMERR"
	case dnsmessage.RCodeServerFailure:
		return "SERVFAIL"
	case dnsmessage.RCodeNotImplemented:
		return "NOTIMP"
	case dnsmessage.RCodeRefused:
		return "REFUSED"
	default:
		return fmt.Sprintf("with code %d", code)
	}
}
