package shape

import (
	"hash/fnv"
	"net/netip"
	"net/url"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// ownFunctions are those that are not of CEL.
func ownFunctions() cel.EnvOption {
	return func(e *cel.Env) (*cel.Env, error) {
		for _, option := range []cel.EnvOption{
			cel.Function("inCIDR", cel.Overload("in_cidr", []*cel.Type{cel.StringType, cel.StringType}, cel.BoolType,
				cel.BinaryBinding(inCIDR))),
			cel.Function("hash", cel.Overload("hash_text", []*cel.Type{cel.StringType}, cel.IntType,
				cel.UnaryBinding(hash))),
			cel.Function("percent_encode", cel.Overload("percent_encode_text", []*cel.Type{cel.StringType}, cel.StringType,
				cel.UnaryBinding(percentEncode))),
			cel.Function("percent_decode", cel.Overload("percent_decode_text", []*cel.Type{cel.StringType}, cel.StringType,
				cel.UnaryBinding(percentDecode))),
			cel.Function("json.encode", cel.Overload("json_encode_value", []*cel.Type{cel.DynType}, cel.StringType,
				cel.UnaryBinding(encodeJSON))),
		} {
			var err error
			if e, err = option(e); err != nil {
				return nil, err
			}
		}
		return e, nil
	}
}

// inCIDR reports whether an address is in a network. What is not an address, as
// the client's on a Unix socket, is in none.
func inCIDR(address, network ref.Val) ref.Val {
	prefix, err := netip.ParsePrefix(string(network.(types.String)))
	if err != nil {
		return types.NewErr("%q is not a network such as 10.0.0.0/8", network.Value())
	}
	a, err := netip.ParseAddr(string(address.(types.String)))
	return types.Bool(err == nil && prefix.Contains(a.Unmap().WithZone("")))
}

// hash is FNV-1a, spread over 63 bits: never negative, and the same in every
// process.
func hash(text ref.Val) ref.Val {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text.(types.String)))
	sum := h.Sum64()
	sum ^= sum >> 33
	sum *= 0xff51afd7ed558ccd
	sum ^= sum >> 33
	return types.Int(sum >> 1)
}

// percentEncode encodes everything but unreserved characters (RFC 3986 §2.3).
func percentEncode(text ref.Val) ref.Val {
	// QueryEscape differs only in how it writes a space.
	return types.String(strings.ReplaceAll(url.QueryEscape(string(text.(types.String))), "+", "%20"))
}

func percentDecode(text ref.Val) ref.Val {
	plain, err := url.PathUnescape(string(text.(types.String)))
	if err != nil {
		return types.NewErr("percent_decode: %v", err)
	}
	return types.String(plain)
}

func encodeJSON(val ref.Val) ref.Val {
	text, err := appendJSON(nil, val, usualMaxContent)
	if err != nil {
		return types.WrapErr(err)
	}
	return types.String(text)
}
