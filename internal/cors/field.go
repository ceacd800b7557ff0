package cors

import "github.com/weirproxy/weir/internal/exchange"

// The fields of the protocol, and values that never change.
var (
	nameOrigin           = []byte("Origin")
	nameRequestMethod    = []byte("Access-Control-Request-Method")
	nameRequestHeaders   = []byte("Access-Control-Request-Headers")
	nameAllowOrigin      = []byte("Access-Control-Allow-Origin")
	nameAllowCredentials = []byte("Access-Control-Allow-Credentials")
	nameAllowMethods     = []byte("Access-Control-Allow-Methods")
	nameAllowHeaders     = []byte("Access-Control-Allow-Headers")
	nameMaxAge           = []byte("Access-Control-Max-Age")
	nameExpose           = []byte("Access-Control-Expose-Headers")

	valueStar = []byte(star)
	valueTrue = []byte("true")
)

// replaced are the fields of responses that are the policy's alone.
var replaced = [][]byte{
	nameAllowOrigin, nameAllowCredentials, nameAllowMethods, nameAllowHeaders, nameMaxAge, nameExpose,
}

const prefix = "Access-Control-"

// drop takes away what an endpoint says of CORS.
func drop(h exchange.Header) {
	for i := range h {
		name := h[i].Name
		if len(name) <= len(prefix) || !exchange.EqualFold(name[:len(prefix)], prefix) {
			continue
		}
		for _, r := range replaced {
			if exchange.EqualFold(name, r) {
				h[i].Skip = true
			}
		}
	}
}
