package registry

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/weirproxy/weir/provider"
)

// A told announcer keeps what it tells and logs.
type told struct {
	*Announcer
	updates []provider.Update
	text    bytes.Buffer
}

func newTold() *told {
	a := new(told)
	a.Announcer = NewAnnouncer(
		func(u provider.Update) { a.updates = append(a.updates, u) }, slog.New(slog.NewTextHandler(&a.text, nil)), "/weir/web/")
	return a
}

// read reads key and value, one after the other.
func read(pairs ...string) map[string]Entry {
	entries := map[string]Entry{}
	for i := 0; i < len(pairs); i += 2 {
		entries[pairs[i]] = ReadEntry(pairs[i], []byte(pairs[i+1]))
	}
	return entries
}

// names lists the endpoints of the last update with their versions.
func (a *told) names() (list []string) {
	for _, e := range a.updates[len(a.updates)-1].Endpoints {
		list = append(list, strings.Trim(e.Version+"/"+e.Name, "/"))
	}
	return list
}

func TestAnnouncer_TellsAnEmptySetToo(t *testing.T) {
	a := newTold()
	a.Announce(nil)
	if len(a.updates) != 1 || len(a.updates[0].Endpoints) != 0 || a.updates[0].Err != nil {
		t.Errorf("told %+v, want one empty set", a.updates)
	}
}

func TestAnnouncer_TellsOnlyWhatHasChanged(t *testing.T) {
	a := newTold()
	for i, entries := range []map[string]Entry{
		read("a", "http://a", "b", "http://b"),
		read("a", "http://a", "b", `{"url":"http://b","weight":2}`),
		read("a", "http://a", "b", `{"url":"http://b","weight":2,"zone":"z"}`),
		read("a", "http://a", "b", `{"url":"http://b","weight":2,"zone":"z","concurrency":3}`),
		read("a", "http://a", "b", `{"url":"http://b","weight":2,"zone":"z","concurrency":3,"labels":{"k":"v"}}`),
		read("a", "http://a", "v1/b", `{"url":"http://b","weight":2,"zone":"z","concurrency":3,"labels":{"k":"v"}}`),
		read("a", "http://a"),
	} {
		a.Announce(entries)
		a.Announce(entries)
		if len(a.updates) != i+1 {
			t.Fatalf("after %d different sets, each announced twice, it has told %d", i+1, len(a.updates))
		}
	}
}

func TestAnnouncer_SortsByVersionAndName(t *testing.T) {
	a := newTold()
	a.Announce(read("v2/a", "http://x", "b", "http://x", "v1/c", "http://x", "a", "http://x", "v1/a", "http://x"))
	if want := []string{"a", "b", "v1/a", "v1/c", "v2/a"}; !slices.Equal(a.names(), want) {
		t.Errorf("told %v, want %v", a.names(), want)
	}
}

func TestAnnouncer_TellsAnOutageOnceAndItsEnd(t *testing.T) {
	a := newTold()
	entries := read("a", "http://a")
	a.Announce(entries)
	a.Fail(errors.New("no route"))
	a.Fail(errors.New("no route"))
	a.Fail(errors.New("refused"))
	a.Announce(entries)
	a.Announce(entries)
	var got []string
	for _, u := range a.updates {
		got = append(got, fmt.Sprint(len(u.Endpoints), u.Err))
	}
	if want := []string{"1 <nil>", "0 no route", "0 refused", "1 <nil>"}; !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

func TestAnnouncer_LeavesOutWhatIsWrongAndLogsItOnce(t *testing.T) {
	a := newTold()
	a.Announce(read("a", "http://a", "b", "nonsense"))
	a.Announce(read("a", "http://a", "b", "nonsense", "c", "http://c"))
	if want := []string{"a", "c"}; !slices.Equal(a.names(), want) {
		t.Errorf("told %v, want %v", a.names(), want)
	}
	if n := strings.Count(a.text.String(), "key=/weir/web/b "); n != 1 {
		t.Errorf("it is logged %d times, want once:\n%s", n, &a.text)
	}
	a.Announce(read("b", "more nonsense"))
	a.Announce(read("b", "http://b"))
	a.Announce(read("b", "more nonsense"))
	if n := strings.Count(a.text.String(), "key=/weir/web/b "); n != 3 {
		t.Errorf("after two more mistakes it is logged %d times, want 3:\n%s", n, &a.text)
	}
}

func TestAnnouncer_DoesNotFillTheLog(t *testing.T) {
	a := newTold()
	entries := map[string]Entry{}
	for i := range 1000 {
		entries[fmt.Sprintf("e%d", i)] = Entry{Wrong: errors.New("wrong")}
	}
	a.Announce(entries)
	if n := strings.Count(a.text.String(), "\n"); n != maxComplaints+1 {
		t.Errorf("1000 wrong entries make %d lines, want %d", n, maxComplaints+1)
	}
	if !strings.Contains(a.text.String(), "more=900") {
		t.Errorf("the log does not say how many more there are:\n%s", &a.text)
	}
}

func TestAnnouncer_KeepsOneOfAnEndpointThatStandsInTwoPlaces(t *testing.T) {
	a := newTold()
	for range 20 { // whatever the order of a map
		a.Announce(read("a", `{"url":"http://value","version":"v1"}`, "v1/a", "http://key", "v2/a", "http://other"))
		if len(a.updates) != 1 || !slices.Equal(a.names(), []string{"v1/a", "v2/a"}) || a.updates[0].Endpoints[0].Address.Host != "key" {
			t.Fatalf("told %+v, want a of v1 as its key says, and a of v2, once", a.updates)
		}
	}
	if n := strings.Count(a.text.String(), `error="it is v1/a once more"`); n != 1 {
		t.Errorf("it is logged %d times, want once:\n%s", n, &a.text)
	}
}

func TestAnnouncer_LogsOnceThatThereAreTooMany(t *testing.T) {
	a := newTold()
	for _, now := range []bool{false, true, true, false, true} {
		a.Crowded(now)
	}
	if n := strings.Count(a.text.String(), "most=100000"); n != 2 {
		t.Errorf("it is logged %d times, want 2:\n%s", n, &a.text)
	}
}
