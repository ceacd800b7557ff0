package config

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// failureNames are the failures without a status code that retry.on and
// backpressure.failures may name.
var failureNames = []string{"connect", "reset", "timeout"}

// lastStatus is the largest status code.
const lastStatus = 599

// StatusSet reads a list as Service.Usable, Retry.On, Backpressure.Failures and
// Health.Expect have it: classes (5xx) and codes (503) of answers, and names of
// failures without one (connect, reset, timeout). statuses has a place for each
// code up to 599, true if the list has it; names has the others, in the order
// of the list.
func StatusSet(list []string) (names []string, statuses []bool, err error) {
	statuses = make([]bool, lastStatus+1)
	for _, text := range list {
		first, last, ok := statusRange(text)
		switch {
		case ok:
			for code := first; code <= last; code++ {
				statuses[code] = true
			}
		case slices.Contains(failureNames, text):
			names = append(names, text)
		default:
			return nil, nil, errors.New(badStatus(text, failureNames))
		}
	}
	return names, statuses, nil
}

// statusRange returns the first and the last code of a class, or a code twice.
func statusRange(text string) (first, last int, ok bool) {
	if class, isClass := strings.CutSuffix(text, "xx"); isClass {
		text = class + "00"
		last = 99
	}
	first, err := strconv.Atoi(text)
	last += first
	return first, last, err == nil && len(text) == 3 && isDigits(text) && first >= 100 && last <= lastStatus
}

// badStatus tells what is wrong with an element of a list of statuses that may
// have names as well.
func badStatus(text string, names []string) string {
	if _, _, ok := statusRange(text); ok || slices.Contains(names, text) {
		return ""
	}
	legal := "a class from 1xx to 5xx or a code from 100 to 599"
	if len(names) > 0 {
		legal = strings.Join(names, ", ") + ", " + legal
	}
	if lower := strings.ToLower(text); lower != text && badStatus(lower, names) == "" {
		return quote(text) + " has capitals; write " + lower
	}
	return quote(text) + " is not " + legal + didYouMean(text, names)
}
