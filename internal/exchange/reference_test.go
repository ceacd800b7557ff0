package exchange

import (
	"cmp"
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/reference/errors.md")

const referenceFile = "../../docs/reference/errors.md"

const referenceIntro = "<!-- Written by `go test ./internal/exchange -update` from the table in internal/exchange/failure.go. -->\n" + `
# Errors

When Weir itself has to answer, because no endpoint did or because the request is not fit to be forwarded, it
says so in a problem document (RFC 9457, ` + "`application/problem+json`" + `):

` + "```json" + `
{"type":"about:blank","title":"Bad Gateway","status":502,"error":"connect_failed","detail":"No endpoint could be reached.","event_id":"0192f3a1c2d4-00000000002a"}
` + "```" + `

- ` + "`error`" + ` is from the closed list below. It tells what was being done (the phase) and who is at fault (the side).
- ` + "`detail`" + ` is for people and may change. It names no endpoint and no address, unless ` + "`errors: verbose`" + ` is configured.
- ` + "`event_id`" + ` is unique and increasing within a process. The endpoint got it as ` + "`X-Request-Id`" + `, and the access log has it.

A response of an endpoint is never replaced by one of these, whatever its status. The access log has the same
names in its ` + "`error`" + ` member, and ` + "`weir_errors_total`" + ` counts by them. An error without a status is only logged and
counted: the client has left, or its connection was closed.

| error | status | phase | side | meaning |
|---|---|---|---|---|
`

// reference is docs/reference/errors.md as the table of codes has it.
func reference() string {
	var b strings.Builder
	b.WriteString(referenceIntro)
	for _, c := range Codes() {
		status := "none"
		if c.Status != 0 {
			status = fmt.Sprintf("%d %s", c.Status, http.StatusText(c.Status))
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", c.Name, status, c.Phase, sideText(c.Side), c.Meaning)
	}
	return b.String()
}

func sideText(s Side) string {
	return [...]string{SideProxy: "Weir", SideClient: "client", SideEndpoint: "endpoint"}[s]
}

func TestReference_IsAsTheTableSays(t *testing.T) {
	want := reference()
	if *update {
		if err := os.WriteFile(referenceFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/reference/errors.md is stale; run go test ./internal/exchange -update")
	}
}

func TestCodes_AreSortedDistinctAndComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Codes() {
		if seen[c.Name] {
			t.Errorf("error %s is in the table twice", c.Name)
		}
		seen[c.Name] = true
		if c.Phase == "" || !strings.HasSuffix(c.Meaning, ".") {
			t.Errorf("error %s has phase %q and meaning %q; the first must be set, the second a sentence", c.Name, c.Phase, c.Meaning)
		}
		if strings.Contains(c.Meaning, "|") {
			t.Errorf("the meaning of error %s would break the table it is printed in", c.Name)
		}
		if c.Status != 0 && !slices.Contains(allowedStatuses, c.Status) && c.Phase != "attach" {
			t.Errorf("error %s has status %d, which is none that the proxy makes", c.Name, c.Status)
		}
	}
	byStatus := func(a, b *Code) int { return cmp.Compare(a.order(), b.order()) }
	if !slices.IsSortedFunc(Codes(), byStatus) {
		t.Error("the table is not sorted by status, those without one last")
	}
}

var allowedStatuses = []int{400, 403, 404, 405, 408, 413, 414, 417, 429, 431, 500, 502, 503, 504}

// order sorts codes without a status behind the others.
func (c *Code) order() int {
	if c.Status == 0 {
		return 1000
	}
	return c.Status
}
