package shape

import (
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/weirproxy/weir/internal/exchange"
)

// The values that are copied once for all expressions of an exchange.
const (
	cacheService = iota
	cacheVersion
	cacheMethod
	cacheHost
	cachePath
	cacheQuery
	cacheID
	cacheAddress
	cacheListener
	cacheScheme
	cacheTLSVersion
	cacheServerName
	cacheSubject
	cacheEndpoint
	cacheURL
	cacheEndpointVersion
	cacheZone
	cached
)

// text returns s as a value, made anew only when it has changed.
func (v *View) text(at int, s string) ref.Val {
	if made, ok := v.cache[at].(types.String); !ok || string(made) != s {
		v.cache[at], v.copies = types.String(s), true
	}
	return v.cache[at]
}

// copied returns a copy of b as a value, made anew only when that has changed: by
// a step, or by whoever serves the exchange.
func (v *View) copied(at int, b []byte) ref.Val {
	if made, ok := v.cache[at].(types.String); !ok || string(made) != string(b) {
		v.cache[at], v.copies = types.String(b), true
	}
	return v.cache[at]
}

var empty ref.Val = types.String("")

var requestRecord = newRecord("request",
	bytesOf("method", cacheMethod, func(v *View) []byte { return v.Exchange.Request.MethodName }),
	stringOf("scheme", cacheScheme, scheme),
	bytesOf("host", cacheHost, func(v *View) []byte { return v.Exchange.Request.Authority }),
	bytesOf("path", cachePath, func(v *View) []byte { return v.Exchange.Request.Path }),
	bytesOf("raw_query", cacheQuery, func(v *View) []byte { return v.Exchange.Request.Query }),
	mapOf("query", texts, queryFirst, func(v *View) *mapping { return &v.maps.query }),
	mapOf("queries", textLists, queryAll, func(v *View) *mapping { return &v.maps.queries }),
	mapOf("headers", texts, requestHeaders, func(v *View) *mapping { return &v.maps.headers }),
	mapOf("header_lines", textLists, requestLines, func(v *View) *mapping { return &v.maps.headerLines }),
	mapOf("cookies", texts, cookies, func(v *View) *mapping { return &v.maps.cookies }),
	otherOf("client", clientRecord.typ, func(v *View) ref.Val { return &v.objects.client }),
	otherOf("tls", tlsRecord.typ, func(v *View) ref.Val { return &v.objects.tls }),
	bytesOf("id", cacheID, func(v *View) []byte { return v.Exchange.ID }),
	otherOf("body", types.DynType, func(v *View) ref.Val { return v.body(RequestSide) }),
	numberOf("size", func(v *View) int64 { return v.Exchange.Request.Length }),
)

var clientRecord = newRecord("client",
	attribute{name: "address", typ: types.StringType, get: clientAddress, text: pushClientAddress},
	numberOf("port", func(v *View) int64 { return int64(v.Exchange.Client.Peer.Port()) }),
)

var tlsRecord = newRecord("tls",
	truthOf("on", func(v *View) bool { return v.Exchange.Client.TLS }),
	stringOf("version", cacheTLSVersion, func(v *View) string { return v.secured().Version }),
	stringOf("server_name", cacheServerName, func(v *View) string { return v.secured().ServerName }),
	stringOf("client_subject", cacheSubject, func(v *View) string { return v.secured().Subject }),
	otherOf("client_sans", textList, func(v *View) ref.Val { return listOf(v.secured().SANs) }),
)

var responseRecord = newRecord("response",
	numberOf("status", func(v *View) int64 { return int64(v.reply.Status) }),
	mapOf("headers", texts, responseHeaders, func(v *View) *mapping { return &v.maps.replyHeaders }),
	mapOf("header_lines", textLists, responseLines, func(v *View) *mapping { return &v.maps.replyLines }),
	otherOf("body", types.DynType, func(v *View) ref.Val { return v.body(ResponseSide) }),
	numberOf("size", func(v *View) int64 { return v.reply.Length }),
)

var endpointRecord = newRecord("endpoint",
	stringOf("name", cacheEndpoint, func(v *View) string { return v.answered().Name }),
	stringOf("url", cacheURL, func(v *View) string { return v.answered().URL }),
	stringOf("version", cacheEndpointVersion, func(v *View) string { return v.answered().Version }),
	stringOf("zone", cacheZone, func(v *View) string { return v.answered().Zone }),
	mapOf("labels", texts, labels, func(v *View) *mapping { return &v.maps.labels }),
)

var listenerRecord = newRecord("listener",
	stringOf("address", cacheListener, func(v *View) string { return v.Exchange.Client.Listener }),
	truthOf("tls", func(v *View) bool { return v.Exchange.Client.TLS }),
)

func scheme(v *View) string {
	if v.Exchange.Client.TLS {
		return "https"
	}
	return "http"
}

// pushClientAddress pushes nothing on a Unix socket.
func pushClientAddress(v *View) {
	if a := v.Exchange.Client.Addr; a.IsValid() {
		v.stack = a.WithZone("").AppendTo(v.stack)
	}
}

// clientAddress is empty on a Unix socket.
func clientAddress(v *View) ref.Val {
	at := len(v.stack)
	pushClientAddress(v)
	return v.copied(cacheAddress, v.pop(at))
}

var (
	noEndpoint Endpoint
	noTLS      tlsFacts
)

// answered is who has answered the present try.
func (v *View) answered() *Endpoint {
	if v.seen == nil && v.outside.Endpoint != nil {
		v.seen = v.outside.Endpoint()
	}
	if v.seen == nil {
		return &noEndpoint
	}
	return v.seen
}

// secured is how the client's connection is.
func (v *View) secured() *tlsFacts {
	c := v.Exchange.Client.Connection
	if c == nil {
		return &noTLS
	}
	if v.facts == nil {
		v.facts = factsOf(c)
	}
	return v.facts
}

func listOf(items []string) ref.Val {
	return types.NewStringList(types.DefaultTypeAdapter, items)
}

var noTexts = listOf(nil)

// Nothing lists what was captured: to go through them is refused at load.
var captures = textSource(
	func(v *View, name string) bool {
		if v.outside.Capture == nil {
			return false
		}
		text := v.outside.Capture(name)
		v.push(text)
		return text != nil
	},
	func(*View, func(string, ref.Val) bool) {},
)

var labels = textSource(
	func(v *View, key string) bool {
		text, ok := v.answered().Labels[key]
		v.pushString(text)
		return ok
	},
	func(v *View, yield func(string, ref.Val) bool) {
		for key, val := range v.answered().Labels {
			if !yield(key, types.String(val)) {
				return
			}
		}
	},
)

// headerOf returns the header of a side; empty while there is no response.
func (v *View) headerOf(side Side) exchange.Header {
	switch {
	case side == RequestSide:
		return v.Exchange.Request.Header
	case v.reply != nil:
		return v.reply.Header
	default:
		return nil
	}
}
