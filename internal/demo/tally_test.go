package demo

import (
	"errors"
	"net/http"
	"testing"
	"time"
)

func TestTally_CountsSharesSinceTheLastTime(t *testing.T) {
	c := newTally()
	for _, name := range []string{"a", "b", "a", "a"} {
		c.count(answer{name: name})
	}
	c.count(answer{err: errors.New("no")})
	if got, want := c.sofar(), "requests: 5, failures: 1; lately a 75%, b 25%"; got != want {
		t.Errorf("the first running tally is %q, want %q", got, want)
	}
	c.count(answer{name: "b"})
	if got, want := c.sofar(), "requests: 6, failures: 1; lately b 100%"; got != want {
		t.Errorf("the second running tally is %q, want %q", got, want)
	}
	if got, want := c.sofar(), "requests: 6, failures: 1"; got != want {
		t.Errorf("a running tally of nothing new is %q, want %q", got, want)
	}
	if got, want := c.String(), "requests: 6, failures: 1, answered by a 3, b 2"; got != want {
		t.Errorf("the summary is %q, want %q", got, want)
	}
}

func TestTally_SaysNoMoreThanItHasCounted(t *testing.T) {
	fine := answer{number: "1", name: "a", took: time.Millisecond}
	late := answer{number: "2", name: "a", took: 1500 * time.Millisecond}
	failed := answer{number: "3", err: errors.New("no")}
	for _, c := range []struct {
		lost    string
		answers []answer
		want    string
	}{
		{"", []answer{fine}, "no request failed, and no client noticed"},
		{"", []answer{fine, late}, "no request failed; 1 client waited for 1s or longer, 1.5s at most; nobody else noticed"},
		{"", []answer{fine, late, failed, failed}, "2 requests failed"},
		{"1", []answer{fine}, "1 request was answered by another worker in place of a killed one; no request failed, and no client noticed"},
		{"3", []answer{fine, failed}, "1 request failed"},
	} {
		tally := newTally()
		tally.lose(c.lost, "mortal")
		for _, a := range c.answers {
			tally.count(a)
		}
		if got := tally.verdict(); got != c.want {
			t.Errorf("of %+v it says %q, want %q", c.answers, got, c.want)
		}
	}
}

func TestWhose_TellsWorkersOfOthersFromFailures(t *testing.T) {
	for _, c := range []struct {
		status     int
		name, kind string
		want       string // empty: it is a failure
	}{
		{200, "slow", "text/plain", "slow"},
		{500, "slow", "text/plain", ""},
		{200, "", "text/html", yours},
		{404, "", "text/plain; charset=utf-8", yours},
		{302, "", "", yours},
		{503, "", "application/problem+json", ""},
		{502, "", "application/problem+json; charset=utf-8", ""},
	} {
		res := &http.Response{StatusCode: c.status, Header: http.Header{}}
		res.Header.Set(nameHeader, c.name)
		res.Header.Set("Content-Type", c.kind)
		if got, err := whose(res); got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("an answer %+v is of %q (%v), want %q", c, got, err, c.want)
		}
	}
}
