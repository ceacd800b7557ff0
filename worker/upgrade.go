package worker

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	attachPath = "/.well-known/weir/attach"
	// maxAnswerHead bounds the head of the answer, maxProblem its content.
	maxAnswerHead = 16 << 10
	maxProblem    = 64 << 10
)

// appendRequest appends the request to attach.
func (o *Options) appendRequest(dst []byte, r router) []byte {
	dst = fmt.Appendf(dst, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: upgrade\r\nUpgrade: ptth\r\nALPN: h2\r\n", attachPath, r.authority())
	for _, f := range [][2]string{
		{"Weir-Service", o.Service},
		{"Weir-Version", o.Version},
		{"Weir-Instance", o.Instance},
		{"Weir-Weight", strconv.Itoa(o.Weight)},
		{"Weir-Zone", o.Zone},
		{"Weir-Labels", encodeLabels(o.Labels)},
	} {
		if f[1] != "" {
			dst = fmt.Appendf(dst, "%s: %s\r\n", f[0], f[1])
		}
	}
	if o.Token != "" {
		dst = fmt.Appendf(dst, "Authorization: Bearer %s\r\n", o.Token)
	}
	return append(dst, "\r\n"...)
}

// readAnswer reads the answer to a request to attach, from r and not a byte beyond
// it: what follows a 101 is HTTP/2. It returns the further routers that the answer
// names. An error is a *Refusal if the router has answered no.
func readAnswer(r *bufio.Reader) (routers []string, err error) {
	for range 8 { // interim answers come first, if somebody in between has any
		head, err := readAnswerHead(r)
		if err != nil {
			return nil, err
		}
		limited := &io.LimitedReader{R: r, N: maxProblem}
		resp, err := http.ReadResponse(bufio.NewReader(io.MultiReader(bytes.NewReader(head), limited)), nil)
		if err != nil {
			return nil, fmt.Errorf("the answer of the router is not HTTP/1.1: %w", err)
		}
		switch {
		case resp.ProtoMajor != 1 || resp.ProtoMinor < 1:
			return nil, fmt.Errorf("the router answers with %s, not with HTTP/1.1", resp.Proto)
		case resp.StatusCode == http.StatusSwitchingProtocols:
			return checkSwitch(resp.Header)
		case resp.StatusCode >= 200:
			return nil, readRefusal(resp)
		}
	}
	return nil, errors.New("the router has answered with nothing but interim responses")
}

// readAnswerHead reads one head, with the empty line that ends it.
func readAnswerHead(r *bufio.Reader) (head []byte, err error) {
	for {
		line, err := r.ReadSlice('\n')
		head = append(head, line...)
		switch {
		case len(head) > maxAnswerHead:
			return nil, fmt.Errorf("the head of the router's answer has more than %d KiB", maxAnswerHead>>10)
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err == io.EOF && len(head) == 0:
			return nil, errors.New("the router has closed the connection without an answer; does it expect TLS?")
		case err != nil:
			return nil, fmt.Errorf("the answer of the router has not come: %w", err)
		}
		if bytes.HasSuffix(head, []byte("\r\n\r\n")) {
			return head, checkLines(head)
		}
		if string(line) == "\n" {
			return nil, errAnswerLines
		}
	}
}

var errAnswerLines = errors.New("the lines of the router's answer do not end as HTTP/1.1 has it; is it an HTTP server?")

// checkLines refuses what two could read differently: a bare CR or LF, a line that
// continues another one, control characters.
func checkLines(head []byte) error {
	for line := range bytes.SplitSeq(head[:len(head)-4], []byte("\r\n")) {
		if len(line) == 0 || line[0] == ' ' || line[0] == '\t' || slices.ContainsFunc(line, isControl) {
			return errAnswerLines
		}
	}
	return nil
}

func isControl(b byte) bool { return b < ' ' && b != '\t' || b == 0x7f }

// checkSwitch looks whether a 101 switches to what was asked for.
func checkSwitch(h http.Header) (routers []string, err error) {
	switch {
	case !lists(h, "Connection", "upgrade"):
		return nil, errors.New("the router's 101 does not have upgrade in Connection")
	case len(h.Values("Upgrade")) != 1 || !strings.EqualFold(h.Get("Upgrade"), "ptth"):
		return nil, fmt.Errorf("the router's 101 switches to %q, not to ptth", h.Values("Upgrade"))
	case !lists(h, "ALPN", "h2"):
		return nil, fmt.Errorf("the router's 101 has the ALPN %q, not h2", h.Values("ALPN"))
	case h.Get("Transfer-Encoding") != "" || h.Get("Content-Length") != "":
		return nil, errors.New("the router's 101 has content")
	}
	return elements(h, "Weir-Routers"), nil
}

// elements are those of the comma-separated lists of that name.
func elements(h http.Header, name string) (all []string) {
	for _, value := range h.Values(name) {
		for e := range strings.SplitSeq(value, ",") {
			if e = strings.Trim(e, " \t"); e != "" {
				all = append(all, e)
			}
		}
	}
	return all
}

func lists(h http.Header, name, element string) bool {
	return slices.ContainsFunc(elements(h, name), func(e string) bool { return strings.EqualFold(e, element) })
}

// readRefusal makes an error of an answer that is not a 101.
func readRefusal(resp *http.Response) *Refusal {
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxProblem)) // what has come is enough
	r := readProblem(text)
	r.Status, r.RetryAfter = resp.StatusCode, readRetryAfter(resp.Header.Get("Retry-After"))
	if r.Code == "" && r.Detail == "" {
		r.Detail = "the answer says no more than that; is a Weir with a listener for workers at this address?"
	}
	return r
}

// readProblem reads a problem document (RFC 9457); what is none says nothing.
func readProblem(text []byte) *Refusal {
	var problem struct {
		Status        int
		Error, Detail string
	}
	if json.Unmarshal(text, &problem) != nil {
		return new(Refusal)
	}
	return &Refusal{Status: problem.Status, Code: printable(problem.Error), Detail: printable(problem.Detail)}
}

// maxDetail bounds what is kept of a text that came from outside.
const maxDetail = 1024

// printable leaves out what would confuse a log or a terminal.
func printable(text string) string {
	text = strings.ToValidUTF8(text, "")
	text = strings.Map(func(r rune) rune {
		if r < ' ' || 0x7f <= r && r <= 0x9f {
			return -1
		}
		return r
	}, text)
	if len(text) > maxDetail {
		text = strings.ToValidUTF8(text[:maxDetail], "") + "…"
	}
	return text
}

// readRetryAfter reads seconds, or a date (RFC 9110 §10.2.3); 0 if it is neither.
func readRetryAfter(value string) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}
