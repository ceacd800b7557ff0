// Package proxyheader takes the header of the PROXY protocol, versions 1 and 2, off a
// connection: who the client is, as told by a proxy that has only passed bytes on.
//
// The header is never guessed at: the protocol wants a receiver to know which peers
// send one, and to take nothing else from them.
package proxyheader

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"

	"github.com/pires/go-proxyproto"
)

const (
	// shortest is as much as every header has: the signature of version 2.
	shortest = 12
	// longestV1 is the longest line of version 1, with its end.
	longestV1 = 107
	// fixedV2 is what stands in front of the addresses of version 2.
	fixedV2 = 16
	// longestV2 bounds addresses and what may follow them.
	longestV2 = 4 << 10
)

// ErrNone is that something else than a header has come.
var ErrNone = errors.New("the connection does not begin with a PROXY header, which this listener wants from that peer")

// Read takes a header off r and not a byte more, which r has to give a byte at a time
// where that is asked for. The source is the client's address, the zero AddrPort if the
// header tells of none: then the connection is the proxy's own, or of a kind that has no
// such address.
//
// An error is ErrNone, or says what is wrong with the header, or is that of r.
func Read(r io.Reader) (source netip.AddrPort, err error) {
	head := make([]byte, shortest, longestV1)
	if _, err := io.ReadFull(r, head); err != nil {
		return netip.AddrPort{}, err
	}
	switch {
	case bytes.Equal(head, proxyproto.SIGV2):
		head, err = readV2(r, head)
	case bytes.HasPrefix(head, []byte("PROXY ")):
		head, err = readV1(r, head)
	default:
		err = ErrNone
	}
	if err != nil {
		return netip.AddrPort{}, err
	}
	return parse(head)
}

// unspecified is how a header of version 2 begins that tells of nothing: the proxy did
// not know the kind of connection.
var unspecified = append(bytes.Clone(proxyproto.SIGV2), 0x21, 0)

// readV1 reads the rest of a line.
func readV1(r io.Reader, head []byte) ([]byte, error) {
	for !bytes.HasSuffix(head, []byte("\r\n")) {
		if len(head) == longestV1 {
			return nil, fmt.Errorf("the line of the PROXY header is longer than %d bytes", longestV1)
		}
		head = head[:len(head)+1]
		if _, err := io.ReadFull(r, head[len(head)-1:]); err != nil {
			return nil, err
		}
	}
	return head, nil
}

// readV2 reads the rest of a binary header.
func readV2(r io.Reader, head []byte) ([]byte, error) {
	head = head[:fixedV2]
	if _, err := io.ReadFull(r, head[shortest:]); err != nil {
		return nil, err
	}
	length := int(binary.BigEndian.Uint16(head[fixedV2-2:]))
	if length > longestV2 {
		return nil, fmt.Errorf("the PROXY header has %d bytes; at most %d are read", length, longestV2)
	}
	whole := append(make([]byte, 0, fixedV2+length), head...)[:fixedV2+length]
	_, err := io.ReadFull(r, whole[fixedV2:])
	return whole, err
}

func parse(head []byte) (netip.AddrPort, error) {
	if bytes.HasPrefix(head, unspecified) {
		return netip.AddrPort{}, nil
	}
	h, err := proxyproto.Read(bufio.NewReader(bytes.NewReader(head)))
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("the PROXY header is malformed: %w", err)
	}
	source, _, ok := h.TCPAddrs()
	if h.Command.IsLocal() || !ok {
		return netip.AddrPort{}, nil
	}
	at := source.AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), nil
}
