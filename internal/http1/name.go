package http1

import "github.com/weirproxy/weir/internal/exchange"

// FieldIDOf returns the ID of the field of that name, in any case. Whoever adds
// a field to a message sets its ID by it.
func FieldIDOf(name []byte) exchange.FieldID {
	if !charToken.all(name) {
		return exchange.FieldOther
	}
	return fieldID(name)
}

// fieldID is FieldIDOf for a name known to be a token. No two known names have
// both length and first letter in common, so there is one to compare with at
// most.
func fieldID(name []byte) exchange.FieldID {
	first := name[0] & 0x1f // the letter, in either case
	if first == 'x'&0x1f && len(name) > 1 && charSep.has(name[1]) {
		return extensionID(name)
	}
	if len(name) >= len(knownAt) {
		return exchange.FieldOther
	}
	known := &knownNames[knownAt[len(name)][first]]
	if !foldToken(name, known.lower) {
		return exchange.FieldOther
	}
	return known.id
}

type knownName struct {
	lower string
	id    exchange.FieldID
}

// knownNames are the fields with an ID, but for those that begin with "x-".
var knownNames = [...]knownName{
	{}, // where knownAt has none
	{"te", exchange.FieldTE},
	{"host", exchange.FieldHost},
	{"date", exchange.FieldDate},
	{"expect", exchange.FieldExpect},
	{"upgrade", exchange.FieldUpgrade},
	{"trailer", exchange.FieldTrailer},
	{"referer", exchange.FieldReferer},
	{"forwarded", exchange.FieldForwarded},
	{"connection", exchange.FieldConnection},
	{"keep-alive", exchange.FieldKeepAlive},
	{"user-agent", exchange.FieldUserAgent},
	{"traceparent", exchange.FieldTraceparent},
	{"content-type", exchange.FieldContentType},
	{"content-length", exchange.FieldContentLength},
	{"content-encoding", exchange.FieldContentEncoding},
	{"proxy-connection", exchange.FieldProxyConnection},
	{"transfer-encoding", exchange.FieldTransferEncoding},
}

// knownAt has the index in knownNames of the one of that length and first letter.
var knownAt = indexKnown()

func indexKnown() (at [len("transfer-encoding") + 1][32]uint8) {
	for i, known := range knownNames[1:] {
		slot := &at[len(known.lower)][known.lower[0]&0x1f]
		if *slot != 0 {
			panic("http1: " + known.lower + " has the place of another name")
		}
		*slot = uint8(i + 1)
	}
	return at
}

// extensionID is fieldID for names that begin with an x and a separator.
//
// Endpoints behind CGI, WSGI and their like see names with every hyphen made an
// underscore, some with every dot too, and cannot tell X_Forwarded-For from
// X-Forwarded-For. So all names that are the same but for their separators are
// aliases, and X-Forwarded itself with whatever follows it.
func extensionID(name []byte) exchange.FieldID {
	switch len(name) {
	case 12:
		if foldToken(name, "x-request-id") {
			return exchange.FieldXRequestID
		}
	case 15:
		if foldToken(name, "x-forwarded-for") {
			return exchange.FieldXForwardedFor
		}
	case 16:
		if foldToken(name, "x-forwarded-host") {
			return exchange.FieldXForwardedHost
		}
	case 17:
		if foldToken(name, "x-forwarded-proto") {
			return exchange.FieldXForwardedProto
		}
	}
	const prefix = len("x-forwarded")
	if len(name) >= prefix && foldSeparated(name[:prefix], "x-forwarded") ||
		foldSeparated(name, "x-real-ip") || foldSeparated(name, "x-request-id") {
		return exchange.FieldForwardedAlias
	}
	return exchange.FieldOther
}

// foldSeparated is foldToken with any separator taken for a hyphen.
func foldSeparated(name []byte, lower string) bool {
	if len(name) != len(lower) {
		return false
	}
	for i := range len(name) {
		if lower[i] == '-' && charSep.has(name[i]) {
			continue
		}
		if name[i]|0x20 != lower[i] {
			return false
		}
	}
	return true
}

// idSet is a set of field IDs.
type idSet uint64

func setOf(ids ...exchange.FieldID) (set idSet) {
	for _, id := range ids {
		set |= 1 << id
	}
	return set
}

func (set idSet) has(id exchange.FieldID) bool { return set>>id&1 != 0 }

var (
	// hopByHop fields are for one connection (RFC 9110 §7.6.1).
	hopByHop = setOf(exchange.FieldConnection, exchange.FieldProxyConnection, exchange.FieldKeepAlive,
		exchange.FieldTE, exchange.FieldTransferEncoding, exchange.FieldUpgrade)
	// framingFields are written by the serializers from what was decided, at
	// the place of the line that was received.
	framingFields = setOf(exchange.FieldHost, exchange.FieldContentLength, exchange.FieldTransferEncoding)
	// kept fields stay whatever Connection names: the proxy itself acts on
	// them, and dropping one would make the next hop read another message.
	kept = framingFields | setOf(exchange.FieldExpect)
)
