package main

import (
	"net"
	"os"
)

// What is told to the service manager; see sd_notify(3).
const (
	notifyReady    = "READY=1"
	notifyStopping = "STOPPING=1"
)

// notify tells the service manager, if there is one, about a change of state: a
// datagram to the socket that NOTIFY_SOCKET names, where @ stands for the zero
// byte of an abstract name, as it does in package net.
func notify(state string) error {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return nil
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Net: "unixgram", Name: path})
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Write([]byte(state))
	return err
}
