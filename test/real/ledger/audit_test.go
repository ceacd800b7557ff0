package ledger

import (
	"strings"
	"testing"
	"time"
)

// One request of each kind that no rule objects to, as the cases below begin.
func sound() ([]Report, []Entry) {
	reports := []Report{
		{ID: "g", Method: "GET", Outcome: Answered, Took: time.Second},
		{ID: "p", Method: "POST", Outcome: Answered, Took: time.Second},
		{ID: "cut", Method: "GET", Outcome: Cut, Took: time.Second},
		{ID: "failed", Method: "POST", Outcome: Refused, Code: "endpoint_closed", Took: time.Second},
		{ID: "closed", Method: "POST", Outcome: Lost, Took: time.Second},
	}
	entries := []Entry{
		{Event: Begun, Method: "GET", ID: "g", Endpoint: "a"},
		{Event: Begun, Method: "GET", ID: "g", Endpoint: "b"},
		{Event: Answering, Method: "GET", ID: "g", Endpoint: "b"},
		{Event: Begun, Method: "POST", ID: "p", Endpoint: "a"},
		{Event: Answering, Method: "POST", ID: "p", Endpoint: "a"},
		{Event: Begun, Method: "GET", ID: "cut", Endpoint: "a"},
	}
	return reports, entries
}

var (
	strict  = Rules{Bound: 10 * time.Second, Attempts: 2, Harmed: all}
	relaxed = Rules{Bound: 10 * time.Second, Attempts: 2, Harmed: all, NonIdempotent: true}
	gentle  = Rules{Bound: 10 * time.Second, Attempts: 2, Harmed: all, Gentle: true, Buffer: 10}
	calm    = Rules{Bound: 10 * time.Second, Attempts: 2, Harmed: allBut("well")}
)

func all(string, time.Time, time.Time) bool { return true }

func allBut(name string) func(string, time.Time, time.Time) bool {
	return func(endpoint string, _, _ time.Time) bool { return endpoint != name }
}

func TestAudit_ObjectsToNothingThatIsSound(t *testing.T) {
	reports, entries := sound()
	if v := Audit(strict, reports, entries); len(v) > 0 {
		t.Errorf("the audit objects to %v, where nothing is wrong", v)
	}
	entries = append(entries, Entry{Event: Begun, Method: "POST", ID: "p", Endpoint: "b"})
	if v := Audit(relaxed, reports[:3], entries); len(v) > 0 {
		t.Errorf("the audit objects to %v, where POST may be repeated", v)
	}
}

var offences = []struct {
	name  string
	rules Rules
	alter func(reports *[]Report, entries *[]Entry)
	id    string
	what  string
}{
	{"a POST executed twice", strict, executed("POST", "p", "b"), "p", "executed 2 times"},
	{"a POST executed twice by the same endpoint", strict, executed("POST", "p", "a"), "p", "executed 2 times"},
	{"a failed POST executed twice", strict, both(executed("POST", "failed", "a"), executed("POST", "failed", "b")), "failed", "executed 2 times"},
	{"a GET executed more often than attempts", strict, executed("GET", "g", "c"), "g", "executed 3 times"},
	{"an execution that nobody asked for", strict, executed("GET", "ghost", "a"), "ghost", "no client asked"},
	{"a request without an end", strict, added(Report{ID: "x", Method: "GET"}), "x", "neither"},
	{"a request that hung", strict, added(Report{ID: "x", Method: "POST", Outcome: Hung}), "x", "hung"},
	{"a request beyond its bound", strict, added(Report{ID: "x", Method: "POST", Outcome: Lost, Took: 11 * time.Second}), "x", "took 11s"},
	{"an answer of another request", strict, added(Report{ID: "x", Method: "GET", Outcome: Foreign}), "x", "does not belong"},
	{"a second answer", strict, added(Report{ID: "x", Method: "POST", Outcome: Lost, Extra: "HTTP/1.1"}), "x", "after the answer"},
	{"an answer out of nowhere", strict, added(Report{ID: "x", Method: "GET", Outcome: Answered}), "x", "no endpoint has executed it"},
	{"a GET that was refused", strict, added(Report{ID: "x", Method: "GET", Outcome: Refused, Code: "response_timeout"}), "x", "although an endpoint was well"},
	{"a GET that was lost", strict, added(Report{ID: "x", Method: "GET", Outcome: Lost}), "x", "although an endpoint was well"},
	{"a POST that found no endpoint", strict, added(Report{ID: "x", Method: "POST", Outcome: Refused, Code: "connect_failed"}), "x", "no endpoint had seen it"},
	{"a POST that an endpoint did not take", strict, added(Report{ID: "x", Method: "POST", Outcome: Refused, Code: "endpoint_closed", Detail: untaken + " at present"}), "x", "no endpoint had seen it"},
	{"a POST that was refused and may be repeated", relaxed, func(r *[]Report, _ *[]Entry) { *r = (*r)[:4] }, "failed", "although an endpoint was well"},
	{
		"an answer cut although its endpoint was well", calm,
		both(added(Report{ID: "x", Method: "GET", Outcome: Cut}), executed("GET", "x", "well")), "x", "left alone",
	},
	{
		"a POST refused although its endpoint was well", calm,
		both(added(Report{ID: "x", Method: "POST", Outcome: Refused, Code: "response_timeout"}), executed("POST", "x", "well")), "x", "left alone",
	},
	{
		"a POST that failed where endpoints only took their leave", gentle,
		both(onlyAnswered, added(Report{ID: "x", Method: "POST", Outcome: Refused, Sent: 10})), "x", "only taken their leave",
	},
	{
		"an answer cut where endpoints only took their leave", gentle,
		both(onlyAnswered, added(Report{ID: "x", Method: "GET", Outcome: Cut})), "x", "only taken their leave",
	},
	{
		"a large POST that failed where one that took its leave has executed it", gentle,
		both(onlyAnswered, both(added(Report{ID: "x", Method: "POST", Outcome: Refused, Sent: 11}), executed("POST", "x", "a"))), "x", "only taken their leave",
	},
	{"an id that is not unique", strict, added(Report{ID: "g", Method: "GET", Outcome: Cut}), "g", "two requests"},
}

// onlyAnswered leaves out the requests that failed.
func onlyAnswered(reports *[]Report, entries *[]Entry) {
	*reports, *entries = (*reports)[:2], (*entries)[:5]
}

func executed(method, id, endpoint string) func(*[]Report, *[]Entry) {
	return func(_ *[]Report, entries *[]Entry) {
		*entries = append(*entries, Entry{Event: Begun, Method: method, ID: id, Endpoint: endpoint})
	}
}

func added(r Report) func(*[]Report, *[]Entry) {
	return func(reports *[]Report, _ *[]Entry) { *reports = append(*reports, r) }
}

func both(first, second func(*[]Report, *[]Entry)) func(*[]Report, *[]Entry) {
	return func(reports *[]Report, entries *[]Entry) {
		first(reports, entries)
		second(reports, entries)
	}
}

// What is too large to be sent again may fail where nobody was harmed.
func TestAudit_ObjectsToNoLargeRequestThatNobodyTook(t *testing.T) {
	large := []Report{{ID: "x", Method: "POST", Outcome: Refused, Code: "endpoint_closed", Sent: 11}}
	if v := Audit(gentle, large, nil); len(v) > 0 {
		t.Errorf("the audit objects to %v", v)
	}
}

func TestAudit_FindsWhatIsWrong(t *testing.T) {
	for _, tc := range offences {
		t.Run(tc.name, func(t *testing.T) {
			reports, entries := sound()
			tc.alter(&reports, &entries)
			found := Audit(tc.rules, reports, entries)
			if len(found) != 1 || found[0].ID != tc.id || !strings.Contains(found[0].What, tc.what) {
				t.Errorf("the audit finds %v, want one violation, of %s, that says %q", found, tc.id, tc.what)
			}
		})
	}
}

func TestTally_CountsByMethodAndEnd(t *testing.T) {
	reports, _ := sound()
	want := "5 requests: 1 GET answered, 1 GET cut, 1 POST answered, 1 POST lost, 1 POST refused with endpoint_closed; the slowest took 1s"
	if got := Tally(reports); got != want {
		t.Errorf("the tally is %q, want %q", got, want)
	}
}
