package registry

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestReadEntry_ReadsBothForms(t *testing.T) {
	for _, tc := range []struct{ key, value, name, version, address string }{
		{"a", "http://10.0.0.1:8000", "a", "", "http://10.0.0.1:8000"},
		{"a", " http://10.0.0.1:8000\n", "a", "", "http://10.0.0.1:8000"},
		{"v1/a", "https://a.example/base?k=v", "a", "v1", "https://a.example/base?k=v"},
		{"10.0.0.1:8000", "http://[::1]:1", "10.0.0.1:8000", "", "http://[::1]:1"},
		{"ä", `{"url":"http://a.example"}`, "ä", "", "http://a.example"},
		{"a", "\t{\"url\":\"http://a.example\",\"version\":\"v2\"} ", "a", "v2", "http://a.example"},
		{"v2/a", `{"url":"http://a.example","version":"v2"}`, "a", "v2", "http://a.example"},
		{"v2/a", `{"url":"http://a.example","since":{"what":["nobody","knows"]},"weight":null}`, "a", "v2", "http://a.example"},
	} {
		e := ReadEntry(tc.key, []byte(tc.value))
		if e.Wrong != nil {
			t.Errorf("%s %q: %v", tc.key, tc.value, e.Wrong)
			continue
		}
		if got := e.Endpoint; got.Name != tc.name || got.Version != tc.version || got.Address.String() != tc.address {
			t.Errorf("%s %q is read as %s of version %q at %s, want %s of %q at %s", tc.key, tc.value,
				got.Name, got.Version, got.Address, tc.name, tc.version, tc.address)
		}
	}
}

func TestReadEntry_ReadsAttributes(t *testing.T) {
	e := ReadEntry("a", []byte(`{"url":"http://a.example","weight":1000,"zone":"eu-1","labels":{"rack":"7","":"x"},"concurrency":9}`))
	if e.Wrong == nil {
		t.Error("a label without a name is taken")
	}
	e = ReadEntry("a", []byte(`{"url":"http://a.example","weight":1000,"zone":"eu-1","labels":{"rack":"7"},"concurrency":9}`))
	if e.Wrong != nil {
		t.Fatal(e.Wrong)
	}
	if got := e.Endpoint; got.Weight != 1000 || got.Zone != "eu-1" || !maps.Equal(got.Labels, map[string]string{"rack": "7"}) || got.Concurrency != 9 {
		t.Errorf("read %+v", got)
	}
	if got := ReadEntry("a", []byte("http://a.example")).Endpoint; got.Weight != 0 || got.Concurrency != 0 || got.Labels != nil {
		t.Errorf("a URL alone is read with attributes: %+v", got)
	}
}

func TestReadEntry_SaysWhatIsWrong(t *testing.T) {
	labels := `"l0":"x"`
	for i := range MaxLabels {
		labels += fmt.Sprintf(`,"l%d":"x"`, i+1)
	}
	json := func(more string) string { return `{"url":"http://a.example",` + more + `}` }
	for _, tc := range []struct{ key, value, want string }{
		{"", "http://a", "ID is empty"},
		{"v1/", "http://a", "ID is empty"},
		{"/a", "http://a", "version is empty"},
		{"v1/a/b", "http://a", "too deep"},
		{"a b", "http://a", "ID has spaces"},
		{"a\x00", "http://a", "ID has spaces"},
		{"a\xff", "http://a", "ID has spaces"},
		{strings.Repeat("a", maxID+1), "http://a", "ID has 257 bytes"},
		{"v 1/a", "http://a", `version "v 1" has other characters`},
		{"../a", "http://a", "nothing but dots"},
		{strings.Repeat("v", maxName+1) + "/a", "http://a", "version has 129 bytes"},
		{"a", "", "empty"},
		{"a", " \n", "empty"},
		{"a", strings.Repeat(" ", MaxValue+1), "65537 bytes"},
		{"a", "10.0.0.1:8000", "write http://host:port"},
		{"a", "unix:/run/app.sock", "write http://host:port"},
		{"a", "http://", "write http://host:port"},
		{"a", "http://:80", "has no host"},
		{"a", "http://a:0", "port 0"},
		{"a", "http://a:65536", "port 65536"},
		{"a", "http://user:secret@a", "user"},
		{"a", "http://a/#x", "fragment"},
		{"a", "http://" + strings.Repeat("a", maxURL), "URL has 2055 characters"},
		{"a", "{", "begins like JSON"},
		{"a", `{"url":"http://a.example"} x`, "begins like JSON"},
		{"a", "{}", `no "url"`},
		{"a", `{"url":"ftp://a"}`, "write http://host:port"},
		{"a", `{"url":7}`, `"url" is a number, want string`},
		{"a", json(`"weight":"2"`), `"weight" is a string, want int`},
		{"a", json(`"weight":1.5`), `"weight" is a number 1.5, want int`},
		{"a", json(`"weight":0`), "weight 0"},
		{"a", json(`"weight":1001`), "weight 1001"},
		{"a", json(`"concurrency":-1`), "concurrency -1"},
		{"a", json(`"concurrency":10000001`), "concurrency 10000001"},
		{"a", json(`"zone":"eu 1"`), "zone"},
		{"a", json(`"version":"v/1"`), "version"},
		{"v1/a", json(`"version":"v2"`), `key says version "v1", its value says "v2"`},
		{"a", json(`"labels":{"a\nb":"x"}`), "label"},
		{"a", json(`"labels":{"a":"\u0000"}`), "label"},
		{"a", json(`"labels":{` + labels + `}`), "33 labels"},
		{"a", json(`"labels":{"a":"` + strings.Repeat("x", MaxLabelBytes) + `"}`), "1025 bytes"},
	} {
		e := ReadEntry(tc.key, []byte(tc.value))
		if e.Wrong == nil {
			t.Errorf("%.50q %.50q is read as %+v, want an error with %q", tc.key, tc.value, e.Endpoint, tc.want)
		} else if !strings.Contains(e.Wrong.Error(), tc.want) || strings.Contains(e.Wrong.Error(), "secret") {
			t.Errorf("%.50q %.50q: %v, want %q", tc.key, tc.value, e.Wrong, tc.want)
		}
	}
}

// FuzzReadEntry has no bytes lead to an endpoint that could not be told apart, shown or
// reached, nor to an error that fills the log.
func FuzzReadEntry(f *testing.F) {
	f.Add("a", []byte("http://10.0.0.1:8000"))
	f.Add("v1/a", []byte(`{"url":"https://a.example/b?c","weight":2,"zone":"z","labels":{"k":"v"},"version":"v1","concurrency":3}`))
	f.Add("/", []byte("{"))
	f.Add("a", []byte(`{"url":"http://[::1%25x]:080","labels":null}`))
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		e := ReadEntry(key, value)
		if e.Wrong != nil {
			if text := e.Wrong.Error(); len(text) > 1000 || strings.Contains(text, "\n") {
				t.Errorf("%q is too long an error, or more than a line", text)
			}
			return
		}
		got := e.Endpoint
		if got.Name == "" || !strings.HasSuffix(key, got.Name) || strings.Contains(got.Name, "/") || !utf8.ValidString(got.Name) {
			t.Errorf("key %q is read as an endpoint named %q", key, got.Name)
		}
		if got.Address.Network != "tcp" || got.Address.Host == "" || got.Address.Port == "" {
			t.Errorf("%q is read as address %+v", value, got.Address)
		}
		if got.Weight < 0 || got.Weight > MaxWeight || got.Concurrency < 0 || strings.Contains(got.Version, "/") {
			t.Errorf("%q is read as %+v", value, got)
		}
	})
}
