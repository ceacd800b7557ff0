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
	cached
)

// text returns s as a value, made anew only when it has changed.
func (v *View) text(at int, s string) ref.Val {
	if made, ok := v.cache[at].(types.String); !ok || string(made) != s {
		v.cache[at] = types.String(s)
	}
	return v.cache[at]
}

// copied returns a copy of b as a value, made anew only when that has changed: by
// a step, or by whoever serves the exchange.
func (v *View) copied(at int, b []byte) ref.Val {
	if made, ok := v.cache[at].(types.String); !ok || string(made) != string(b) {
		v.cache[at] = types.String(b)
	}
	return v.cache[at]
}

var (
	schemeHTTP  ref.Val = types.String("http")
	schemeHTTPS ref.Val = types.String("https")
	empty       ref.Val = types.String("")
)

var requestRecord = newRecord("request",
	attribute{"method", types.StringType, func(v *View) ref.Val { return v.copied(cacheMethod, v.Exchange.Request.MethodName) }},
	attribute{"scheme", types.StringType, scheme},
	attribute{"host", types.StringType, func(v *View) ref.Val { return v.copied(cacheHost, v.Exchange.Request.Authority) }},
	attribute{"path", types.StringType, func(v *View) ref.Val { return v.copied(cachePath, v.Exchange.Request.Path) }},
	attribute{"raw_query", types.StringType, func(v *View) ref.Val { return v.copied(cacheQuery, v.Exchange.Request.Query) }},
	attribute{"query", texts, func(v *View) ref.Val { return &v.query }},
	attribute{"queries", textLists, func(v *View) ref.Val { return &v.queries }},
	attribute{"headers", texts, func(v *View) ref.Val { return &v.headers }},
	attribute{"header_lines", textLists, func(v *View) ref.Val { return &v.headerLines }},
	attribute{"cookies", texts, func(v *View) ref.Val { return &v.cookies }},
	attribute{"client", clientRecord.typ, func(v *View) ref.Val { return &v.client }},
	attribute{"tls", tlsRecord.typ, func(v *View) ref.Val { return &v.tls }},
	attribute{"id", types.StringType, func(v *View) ref.Val { return v.copied(cacheID, v.Exchange.ID) }},
	attribute{"body", types.DynType, func(v *View) ref.Val { return v.body(RequestSide) }},
	attribute{"size", types.IntType, func(v *View) ref.Val { return types.Int(v.Exchange.Request.Length) }},
)

var clientRecord = newRecord("client",
	attribute{"address", types.StringType, clientAddress},
	attribute{"port", types.IntType, func(v *View) ref.Val { return types.Int(v.Exchange.Client.Peer.Port()) }},
)

var tlsRecord = newRecord("tls",
	attribute{"on", types.BoolType, func(v *View) ref.Val { return types.Bool(v.Exchange.Client.TLS) }},
	attribute{"version", types.StringType, func(v *View) ref.Val { return types.String(v.secured().Version) }},
	attribute{"server_name", types.StringType, func(v *View) ref.Val { return types.String(v.secured().ServerName) }},
	attribute{"client_subject", types.StringType, func(v *View) ref.Val { return types.String(v.secured().Subject) }},
	attribute{"client_sans", textList, func(v *View) ref.Val { return listOf(v.secured().SANs) }},
)

var responseRecord = newRecord("response",
	attribute{"status", types.IntType, func(v *View) ref.Val { return types.Int(v.reply.Status) }},
	attribute{"headers", texts, func(v *View) ref.Val { return &v.replyHeaders }},
	attribute{"header_lines", textLists, func(v *View) ref.Val { return &v.replyLines }},
	attribute{"body", types.DynType, func(v *View) ref.Val { return v.body(ResponseSide) }},
	attribute{"size", types.IntType, func(v *View) ref.Val { return types.Int(v.reply.Length) }},
)

var endpointRecord = newRecord("endpoint",
	attribute{"name", types.StringType, func(v *View) ref.Val { return types.String(v.answered().Name) }},
	attribute{"url", types.StringType, func(v *View) ref.Val { return types.String(v.answered().URL) }},
	attribute{"version", types.StringType, func(v *View) ref.Val { return types.String(v.answered().Version) }},
	attribute{"zone", types.StringType, func(v *View) ref.Val { return types.String(v.answered().Zone) }},
	attribute{"labels", texts, func(v *View) ref.Val { return &v.labels }},
)

var listenerRecord = newRecord("listener",
	attribute{"address", types.StringType, func(v *View) ref.Val { return v.text(cacheListener, v.Exchange.Client.Listener) }},
	attribute{"tls", types.BoolType, func(v *View) ref.Val { return types.Bool(v.Exchange.Client.TLS) }},
)

func scheme(v *View) ref.Val {
	if v.Exchange.Client.TLS {
		return schemeHTTPS
	}
	return schemeHTTP
}

// clientAddress is empty on a Unix socket.
func clientAddress(v *View) ref.Val {
	if v.cache[cacheAddress] == nil {
		text := empty
		if a := v.Exchange.Client.Addr; a.IsValid() {
			text = types.String(a.WithZone("").String())
		}
		v.cache[cacheAddress] = text
	}
	return v.cache[cacheAddress]
}

var (
	noEndpoint Endpoint
	noTLS      TLS
)

func (v *View) answered() *Endpoint {
	if v.Endpoint == nil {
		return &noEndpoint
	}
	return v.Endpoint
}

func (v *View) secured() *TLS {
	if v.TLS == nil {
		return &noTLS
	}
	return v.TLS
}

func listOf(items []string) ref.Val {
	return types.NewStringList(types.DefaultTypeAdapter, items)
}

var noTexts = listOf(nil)

var captures = &source{
	absent: empty,
	get: func(v *View, key string) ref.Val {
		if v.Captures == nil {
			return nil
		}
		if b := v.Captures(key); b != nil {
			return types.String(b)
		}
		return nil
	},
	// Nothing lists what was captured: to go through them is refused at load.
	each: func(*View, func(string, ref.Val) bool) {},
}

var labels = &source{
	absent: empty,
	get: func(v *View, key string) ref.Val {
		if val, ok := v.answered().Labels[key]; ok {
			return types.String(val)
		}
		return nil
	},
	each: func(v *View, yield func(string, ref.Val) bool) {
		for key, val := range v.answered().Labels {
			if !yield(key, types.String(val)) {
				return
			}
		}
	},
}

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
