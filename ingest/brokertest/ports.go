package brokertest

import (
	"fmt"
	"net"
	"strconv"
)

// loopback is the only interface that anything here listens on.
const loopback = "127.0.0.1"

// ports holds the ports of one broker, by listener.
type ports map[string]int

func (p ports) address(listener string) string {
	return net.JoinHostPort(loopback, strconv.Itoa(p[listener]))
}

// freePorts returns a port for each listener, on which nobody listens.
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

// freePort returns a port that the kernel chooses. It closes a connection from the
// listening side, which leaves the port in TIME_WAIT for about a minute. In that time the
// port can be opened by its number, and the kernel gives it to nobody who asks for any
// port.
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
