package dns

import (
	"bufio"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	maxResolvConf = 64 << 10
	// maxSystemServers is how many resolvers of systems heed.
	maxSystemServers = 3
	maxSearch        = 16
)

// A conf is who is asked, and for which names.
type conf struct {
	servers  []string
	search   []string // complete, with a dot at the end
	ndots    int
	timeout  time.Duration
	attempts int
}

// conf returns whom the options name, or what the system has now.
func (o Options) conf() conf {
	c := conf{servers: o.Servers, ndots: 1, attempts: 2, timeout: defaultTimeout}
	if len(o.Servers) == 0 {
		c = readResolvConf(o.resolvConf, c)
	}
	if o.Timeout > 0 {
		c.timeout = o.Timeout
	}
	return c
}

// readResolvConf reads a file as of resolv.conf(5). One that is not there is an empty
// one: a server on this machine is asked.
func readResolvConf(path string, c conf) conf {
	if file, err := os.Open(path); err == nil {
		defer file.Close()
		c.read(io.LimitReader(file, maxResolvConf))
	}
	if len(c.servers) == 0 {
		c.servers = []string{"127.0.0.1:53", "[::1]:53"}
	}
	return c
}

func (c *conf) read(r io.Reader) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 2 {
			continue
		}
		switch words[0] {
		case "nameserver":
			if _, err := netip.ParseAddr(words[1]); err == nil && len(c.servers) < maxSystemServers {
				c.servers = append(c.servers, net.JoinHostPort(words[1], defaultPort))
			}
		case "domain":
			c.search = suffixes(words[1:2])
		case "search":
			c.search = suffixes(words[1:])
		case "options":
			for _, option := range words[1:] {
				c.readOption(option)
			}
		}
	}
}

func (c *conf) readOption(option string) {
	key, value, _ := strings.Cut(option, ":")
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		return
	}
	switch key {
	case "ndots":
		c.ndots = min(n, 15)
	case "timeout":
		c.timeout = time.Duration(max(1, min(n, 30))) * time.Second
	case "attempts":
		c.attempts = max(1, min(n, 5))
	}
}

// suffixes returns the complete names of a search list.
func suffixes(words []string) (list []string) {
	for _, word := range words {
		if checkName(word) == nil && len(list) < maxSearch {
			list = append(list, complete(word))
		}
	}
	return list
}

// complete writes a name as questions have it.
func complete(name string) string { return lowerText(strings.TrimSuffix(name, ".")) + "." }

// names lists the complete names that a name may stand for, in the order in which they
// are asked for. Without a search list that is the name as it is written.
func (c conf) names(name string) []string {
	written := complete(name)
	if strings.HasSuffix(name, ".") || isLocalhost(written) {
		return []string{written}
	}
	var list []string
	for _, suffix := range c.search {
		if len(written)+len(suffix)-1 <= maxName {
			list = append(list, written+suffix)
		}
	}
	if strings.Count(name, ".") >= c.ndots {
		return slices.Insert(list, 0, written)
	}
	return append(list, written)
}

// isLocalhost reports whether a name is one for this machine (RFC 6761 §6.3).
func isLocalhost(name string) bool {
	return name == "localhost." || strings.HasSuffix(name, ".localhost.")
}
