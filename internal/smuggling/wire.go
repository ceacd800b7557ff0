package smuggling

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var (
	requestLine = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+ [!-~]+ HTTP/1\\.1$")
	fieldStart  = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+: ")
	lengthValue = regexp.MustCompile(`^(0|[1-9][0-9]*)$`)
	chunkLine   = regexp.MustCompile(`^(0|[1-9a-f][0-9a-f]*)$`)
)

// CheckWire checks that data, which a proxy has sent to an endpoint, is requests
// written without any liberty: one space where there has to be one, CR LF, one
// Host, one way of framing, no chunk extension. It may end in the middle of one;
// whole tells that it does not. Behind a request for a switch of protocols
// nothing is checked.
func CheckWire(data []byte) (whole bool, err error) {
	for len(data) > 0 {
		head, rest, found := bytes.Cut(data, []byte("\r\n\r\n"))
		if !found {
			return false, nil
		}
		f, err := checkHead(string(head))
		if err != nil {
			return false, fmt.Errorf("%w\nin %q", err, head)
		}
		switch {
		case f.switches:
			return true, nil
		case f.chunked:
			data, found, err = checkChunks(rest)
		default:
			found = len(rest) >= f.length
			data = rest[min(f.length, len(rest)):]
		}
		if err != nil || !found {
			return false, err
		}
	}
	return true, nil
}

// isFieldLine reports whether line is a name, a colon, one space, and a value
// without white space around it or control characters in it.
func isFieldLine(line string) bool {
	start := fieldStart.FindString(line)
	value := line[len(start):]
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return start != "" && strings.Trim(value, " \t") == value
}

// framing is what a head says about what follows it.
type framing struct {
	length            int
	chunked, switches bool
}

func checkHead(head string) (f framing, err error) {
	first, lines, _ := strings.Cut(head, "\r\n")
	if !requestLine.MatchString(first) {
		return f, fmt.Errorf("request line %q", first)
	}
	count := map[string]int{}
	for line := range strings.SplitSeq(lines, "\r\n") {
		if !isFieldLine(line) {
			return f, fmt.Errorf("field line %q", line)
		}
		name, value, _ := strings.Cut(line, ": ")
		name = strings.ToLower(name)
		count[name]++
		switch name {
		case "content-length":
			if !lengthValue.MatchString(value) {
				return f, fmt.Errorf("field line %q", line)
			}
			f.length, err = strconv.Atoi(value)
		case "transfer-encoding":
			f.chunked = true
			if value != "chunked" {
				return f, fmt.Errorf("field line %q", line)
			}
		case "upgrade":
			f.switches = true
		}
	}
	if count["host"] != 1 || count["content-length"]+count["transfer-encoding"] > 1 {
		return f, fmt.Errorf("%d Host, %d Content-Length, %d Transfer-Encoding",
			count["host"], count["content-length"], count["transfer-encoding"])
	}
	return f, err
}

// checkChunks checks chunked content and returns what follows it.
func checkChunks(data []byte) (rest []byte, whole bool, err error) {
	for {
		line, rest, found := bytes.Cut(data, []byte("\r\n"))
		if !found {
			return nil, false, nil
		}
		if !chunkLine.Match(line) {
			return nil, false, fmt.Errorf("chunk size %q", line)
		}
		size, err := strconv.ParseInt(string(line), 16, 32)
		if err != nil {
			return nil, false, err
		}
		if size == 0 {
			return checkTrailer(rest)
		}
		if len(rest) < int(size)+2 {
			return nil, false, nil
		}
		if string(rest[size:size+2]) != "\r\n" {
			return nil, false, fmt.Errorf("%q behind a chunk", rest[size:size+2])
		}
		data = rest[size+2:]
	}
}

func checkTrailer(data []byte) (rest []byte, whole bool, err error) {
	for {
		line, rest, found := bytes.Cut(data, []byte("\r\n"))
		switch {
		case !found:
			return nil, false, nil
		case len(line) == 0:
			return rest, true, nil
		case !isFieldLine(string(line)):
			return nil, false, fmt.Errorf("trailer line %q", line)
		}
		data = rest
	}
}
