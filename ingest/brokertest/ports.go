package brokertest

import (
	"fmt"
	"net"
	"strconv"
)

// loopback is the only interface that anything here listens on.
const loopback = "127.0.0.1"

// ports are those of one broker, by listener.
type ports map[string]int

func (p ports) address(listener string) string {
	return net.JoinHostPort(loopback, strconv.Itoa(p[listener]))
}

// freePorts are ports that nobody listens on.
func freePorts(listeners []string) (ports, error) {
	found := ports{}
	for _, name := range listeners {
		port, err := freePort()
		if err != nil {
			return nil, fmt.Errorf("choose a port: %w", err)
		}
		found[name] = port
	}
	return found, nil
}

// freePort lets the kernel choose. A connection that the listening side closed
// leaves the port in TIME_WAIT: it can be opened by its number, and is given to
// nobody who asks for any port, for a minute or so.
func freePort() (int, error) {
	ln, err := net.Listen("tcp4", net.JoinHostPort(loopback, "0"))
	if err != nil {
		return 0, err
	}
	defer func() { _ = ln.Close() }()
	client, err := net.Dial("tcp4", ln.Addr().String())
	if err != nil {
		return 0, err
	}
	defer func() { _ = client.Close() }()
	server, err := ln.Accept()
	if err != nil {
		return 0, err
	}
	_ = server.Close()
	return ln.Addr().(*net.TCPAddr).Port, nil
}
