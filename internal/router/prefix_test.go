package router

import (
	"strings"
	"testing"
)

func TestPrefix_Strip(t *testing.T) {
	for _, tt := range []struct{ prefix, route, path, want string }{
		{"/api", "/api/*", "/api/x", "/x"},
		{"/api", "/api/*", "/api", "/"},
		{"/api", "/api/*", "/api/", "/"},
		{"/api", "/api/*", "/api//x", "//x"},
		{"/api", "/api/*", "/%61pi/x%2Fy", "/x%2Fy"},
		{"/api", "/api/*", "/apis/x", "no"},
		{"/api", "/api/*", "/ap", "no"},
		{"/api", "/api/*", "/", "no"},
		{"/api", "/api/*", "*", "no"},
		{"/api", "/api/*", "", "no"},
		{"/api/", "/api/*", "/api/x", "/x"},
		{"/api", "/api", "/api", "/"},
		{"/a", "/a/b/{c}", "/a/b/c", "/b/c"},
		{"/a//", "/a//*", "/a//b", "/b"},
		{"/{service}/{version}", "/{service}/{version}/*", "/shop/v1/x/y", "/x/y"},
		{"/{service}/{version}", "/{service}/{version}/*", "/shop/v1", "/"},
		{"/{service}/{version}", "/{service}/{version}/*", "/shop//x", "no"},
		{"/{service}/{version}", "/{service}/{version}/*", "/shop", "no"},
		{"/%7Ba%7D", "/%7Ba%7D/*", "/{a}/b", "/b"},
		{"/caf%C3%A9", "/café/*", "/caf%c3%a9/b", "/b"},
	} {
		p, err := NewPrefix(tt.prefix, tt.route)
		if err != nil {
			t.Errorf("%s of %s: %v", tt.prefix, tt.route, err)
			continue
		}
		got, ok := p.Strip([]byte(tt.path))
		if ok && string(got) != tt.want || !ok && tt.want != "no" {
			t.Errorf("%s off %q: got %q, %v, want %s", tt.prefix, tt.path, got, ok, tt.want)
		}
	}
}

func TestNewPrefix_Refuses(t *testing.T) {
	for _, tt := range []struct{ prefix, route, want string }{
		{"", "/*", "begins with a slash"},
		{"api", "/api/*", "begins with a slash"},
		{"/", "/*", "no segment to take off"},
		{"/api", "/*", "it is longer"},
		{"/api/v1", "/api/*", "it is longer"},
		{"/ap", "/api/*", "segment 1 differs"},
		{"/api", "/{a}/*", "segment 1 differs"},
		{"/{b}", "/{a}/*", "segment 1 differs"},
		{"/{a}", "/api/*", "segment 1 differs"},
		{"/api/v2", "/api/v1/*", "segment 2 differs"},
		{"/api/*", "/api/*", `"*" cannot be taken off`},
		{"/api", "api", `path "api": a path begins`},
	} {
		if _, err := NewPrefix(tt.prefix, tt.route); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s of %s: got %v, want an error about %q", tt.prefix, tt.route, err, tt.want)
		}
	}
}
