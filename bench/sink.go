package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"os"
)

// runSink is the subcommand `sink`: it writes what arrives on a port to a file, for a proxy
// that has no buffered log of its own.
func runSink(args []string) error {
	flags := flag.NewFlagSet("sink", flag.ContinueOnError)
	port := flags.Int("port", 0, "loopback `port` to listen on")
	path := flags.String("file", os.DevNull, "`file` to append to")
	if err := flags.Parse(args); err != nil {
		return err
	}
	file, err := openLog(*path)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		return err
	}
	fmt.Println("listening")
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		// One connection at a time is all there is; the buffer makes writes large.
		if _, err := io.CopyBuffer(struct{ io.Writer }{file}, struct{ io.Reader }{conn}, make([]byte, 256<<10)); err != nil {
			fmt.Fprintln(os.Stderr, "bench: write the log:", err)
		}
		_ = conn.Close()
	}
}
