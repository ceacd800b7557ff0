package attack

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A client speaks HTTP/1.1 and believes nothing: what RFC 9112 does not allow is an
// error, and so is a byte too many.
type client struct {
	nc net.Conn
	r  *bufio.Reader
}

// An answer is one message, or what there was of it.
type answer struct {
	status  int
	header  []string // each as it was written
	body    string
	interim []int
	// truncated: the connection ended within the message. closing: it says that it
	// will be closed.
	truncated, closing bool
}

// errNothing: the connection was closed, and nothing was answered.
var errNothing = errors.New("the connection was closed without an answer")

func dialClient(t *testing.T, address string) *client {
	t.Helper()
	nc, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	return newClient(nc)
}

func newClient(nc net.Conn) *client {
	_ = nc.SetDeadline(time.Now().Add(soon))
	return &client{nc, bufio.NewReader(nc)}
}

// ask sends a request without content, with these fields, and reads the answer.
func (c *client) ask(method, target string, fields ...string) (answer, error) {
	if err := c.send(method, target, fields...); err != nil {
		return answer{}, err
	}
	return c.read(method)
}

func (c *client) send(method, target string, fields ...string) error {
	_ = c.nc.SetDeadline(time.Now().Add(soon))
	fields = append([]string{method + " " + target + " HTTP/1.1", "Host: site.example"}, fields...)
	_, err := io.WriteString(c.nc, strings.Join(fields, "\r\n")+"\r\n\r\n")
	return err
}

// read reads the answer to a request with that method.
func (c *client) read(method string) (a answer, err error) {
	for {
		if err := c.readHead(&a); err != nil {
			return a, err
		}
		if a.status >= 200 || a.status == 101 {
			break
		}
		a.interim = append(a.interim, a.status)
		if a.has("content-length") || a.has("transfer-encoding") {
			return a, fmt.Errorf("an interim response has framing: %q", a.header)
		}
	}
	err = c.readContent(&a, method)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		a.truncated = true
		return a, nil
	}
	return a, err
}

var (
	statusLine = regexp.MustCompile(`^HTTP/1\.1 ([1-5][0-9][0-9]) [\t\x20-\x7e]*$`)
	fieldLine  = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+:" + `[^\x00-\x08\x0a-\x1f\x7f]*$`)
)

func (c *client) readHead(a *answer) error {
	a.status, a.header = 0, nil
	line, err := c.line()
	switch {
	case errors.Is(err, io.EOF) && line == "":
		return errNothing
	case err != nil:
		return fmt.Errorf("the status line %q: %w", line, err)
	}
	m := statusLine.FindStringSubmatch(line)
	if m == nil {
		return fmt.Errorf("the status line is %q", line)
	}
	a.status, _ = strconv.Atoi(m[1])
	a.header, err = c.fields()
	a.closing = strings.Contains(strings.ToLower(a.value("connection")), "close")
	return err
}

// line reads up to a CRLF; neither may stand alone.
func (c *client) line() (string, error) {
	text, err := c.r.ReadString('\n')
	if err != nil {
		return text, err
	}
	line, ok := strings.CutSuffix(text, "\r\n")
	if !ok || strings.ContainsAny(line, "\r\x00") {
		return "", fmt.Errorf("a line is %q", text)
	}
	return line, nil
}

func (c *client) fields() (list []string, err error) {
	for {
		line, err := c.line()
		if err != nil || line == "" {
			return list, err
		}
		if !fieldLine.MatchString(line) {
			return list, fmt.Errorf("a field is %q", line)
		}
		list = append(list, line)
	}
}

// values returns those of all fields of that name.
func (a *answer) values(name string) (list []string) {
	for _, f := range a.header {
		if n, v, _ := strings.Cut(f, ":"); strings.EqualFold(n, name) {
			list = append(list, strings.Trim(v, " \t"))
		}
	}
	return list
}

func (a *answer) has(name string) bool     { return len(a.values(name)) > 0 }
func (a *answer) value(name string) string { return strings.Join(a.values(name), ", ") }

func (c *client) readContent(a *answer, method string) (err error) {
	lengths, codings := a.values("content-length"), a.values("transfer-encoding")
	switch {
	case len(lengths) > 0 && len(codings) > 0, len(lengths) > 1, len(codings) > 1:
		return fmt.Errorf("the framing is said twice: %q", a.header)
	case len(codings) == 1 && codings[0] != "chunked":
		return fmt.Errorf("the coding is %q", codings[0])
	case a.status == 101:
		return nil
	case a.status == 204 && len(lengths)+len(codings) > 0:
		return fmt.Errorf("a 204 has framing: %q", a.header)
	case method == "HEAD" || a.status == 204 || a.status == 304:
		return nil
	case len(codings) == 1:
		return c.readChunks(a)
	case len(lengths) == 1:
		if !regexp.MustCompile(`^[0-9]{1,15}$`).MatchString(lengths[0]) {
			return fmt.Errorf("the length is %q", lengths[0])
		}
		n, _ := strconv.Atoi(lengths[0])
		return c.readBytes(a, n)
	default:
		return fmt.Errorf("the message has no framing, and would end with the connection: %d %q", a.status, a.header)
	}
}

func (c *client) readBytes(a *answer, n int) error {
	data := make([]byte, n)
	n, err := io.ReadFull(c.r, data)
	a.body += string(data[:n])
	return err
}

func (c *client) readChunks(a *answer) error {
	for {
		line, err := c.line()
		if err != nil {
			return err
		}
		if !regexp.MustCompile(`^[0-9a-fA-F]{1,8}$`).MatchString(line) {
			return fmt.Errorf("a chunk begins with %q", line)
		}
		n, _ := strconv.ParseInt(line, 16, 64)
		if n == 0 {
			_, err := c.fields() // trailers
			return err
		}
		if err := c.readBytes(a, int(n)); err != nil {
			return err
		}
		if line, err := c.line(); err != nil || line != "" {
			if err == nil {
				err = fmt.Errorf("a chunk is followed by %q", line)
			}
			return err
		}
	}
}
