//go:build real

package real

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/weirproxy/weir/test/real/ledger"
)

// mostStories bounds how many requests a failure tells of.
const mostStories = 5

// A chronicle has all that is known of a round: the clients' reports, the
// endpoints' ledgers, the access log and what the adversary did.
type chronicle struct {
	adversary *adversary
	log       string // the path of the access log, complete
	reports   []ledger.Report
	entries   []ledger.Entry
}

// mostTold bounds how many violations are named.
const mostTold = 100

// fail fails the test for violations, and tells the stories of the first of them.
// One of another kind may be among the others.
func (c *chronicle) fail(t *testing.T, violations []ledger.Violation) {
	t.Helper()
	for i, v := range violations {
		switch {
		case i < mostStories:
			t.Errorf("%s: %s\n%s", v.ID, v.What, c.story(t, v.ID))
		case i == mostTold:
			t.Errorf("… and %d violations more", len(violations)-i)
			return
		default:
			t.Errorf("%s: %s", v.ID, v.What)
		}
	}
}

// story is what happened to a request.
func (c *chronicle) story(t *testing.T, id string) string {
	t.Helper()
	var b strings.Builder
	from, to := time.Now(), time.Time{}
	for _, r := range c.reports {
		if r.ID == id {
			fmt.Fprintf(&b, "  client: %v\n", r)
			from, to = r.Began.Add(-5*time.Second), r.Began.Add(r.Took+time.Second)
		}
	}
	for _, e := range c.entries {
		if e.ID == id {
			fmt.Fprintf(&b, "  endpoint %s: %s %s at %s\n", e.Endpoint, e.Event, e.Method, ledger.Clock(e.At))
		}
	}
	for _, line := range c.logged(t, id) {
		fmt.Fprintf(&b, "  access log: %s\n", line)
	}
	if acts := c.adversary.told(from, to); acts != "" {
		fmt.Fprintf(&b, "  the adversary, from 5s before:\n    %s\n", strings.ReplaceAll(acts, "\n", "\n    "))
	}
	return b.String()
}

// logged returns the lines of the access log about a request.
func (c *chronicle) logged(t *testing.T, id string) (lines []string) {
	t.Helper()
	text, err := os.ReadFile(c.log)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, `"uri":"/`+id+`?`) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}
