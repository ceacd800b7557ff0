package http1

import (
	"bytes"

	"github.com/weirproxy/weir/internal/exchange"
)

// maxOptions bounds how many fields Connection may name: each is compared with
// every field of the message, and nobody names more than a few.
const maxOptions = 32

// options is what the Connection fields of a message say (RFC 9110 §7.6.1).
type options struct {
	close, keepAlive, upgrade bool
}

// connectionOptions reads the Connection fields, and marks the fields that they
// name so that they are not passed on.
func connectionOptions(header exchange.Header) (o options, f fault) {
	named := 0
	for i := range header {
		if header[i].ID != exchange.FieldConnection {
			continue
		}
		for list := header[i].Value; len(list) > 0; {
			var option []byte
			option, list = nextElement(list)
			switch {
			case len(option) == 0:
			case exchange.EqualFold(option, "close"):
				o.close = true
			case exchange.EqualFold(option, "keep-alive"):
				o.keepAlive = true
			case exchange.EqualFold(option, "upgrade"):
				o.upgrade = true
			default:
				if named++; named > maxOptions {
					return o, faultTooManyOptions
				}
				skipNamed(header, option)
			}
		}
	}
	return o, faultNone
}

// nextElement splits a comma-separated list after its first element.
func nextElement(list []byte) (element, rest []byte) {
	element, rest, _ = bytes.Cut(list, comma)
	return trimSpace(element), rest
}

var comma = []byte{','}

func skipNamed(header exchange.Header, name []byte) {
	for i := range header {
		if !kept.has(header[i].ID) && exchange.EqualFold(header[i].Name, name) {
			header[i].Skip = true
		}
	}
}

// keepsAlive reports whether the connection persists after a message (RFC 9112
// §9.3).
func (o options) keepsAlive(minor uint8) bool {
	return !o.close && (minor >= 1 || o.keepAlive)
}

// upgradeToken returns the one protocol that the Upgrade field names, or nil if
// it names none or several: a choice that the proxy would have to make for the
// endpoint is none.
func upgradeToken(header exchange.Header) []byte {
	value, _ := header.Get(exchange.FieldUpgrade)
	name, version, slash := bytes.Cut(value, slashBytes)
	// protocol = protocol-name ["/" protocol-version], both tokens (RFC 9110 §7.8)
	if !charToken.all(name) || slash && !charToken.all(version) {
		return nil
	}
	return value
}

var slashBytes = []byte{'/'}
