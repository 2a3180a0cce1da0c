package stack

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// loopback is the only interface that anything here listens on.
const loopback = "127.0.0.1"

func address(port int) string { return net.JoinHostPort(loopback, strconv.Itoa(port)) }

// openPorts holds a stack's ports. A part that takes a listener gets an open one. A part
// that takes only a number gets one that is free.
type openPorts struct {
	temporal, ui, kafka           int
	workerMetrics, starterMetrics int
	apps                          []appPort
	kafkaListener                 net.Listener
}

type appPort struct {
	name     string
	port     int
	listener net.Listener // nil if another process serves the app
}

func (s *Stack) openPorts() (*openPorts, error) {
	var (
		open  openPorts
		want  = s.opts.Ports
		ports = []struct {
			wanted int
			ours   bool // if false, another process may listen there already
			what   string
			flag   string
			number *int
		}{
			{want.Temporal, true, "Temporal", FlagTemporalPort, &open.temporal},
			{want.UI, true, "Temporal's UI", FlagUIPort, &open.ui},
			{want.WorkerMetrics, s.opts.WorkerBinary != "", "the worker's metrics", FlagWorkerMetricsPort, &open.workerMetrics},
			{want.StarterMetrics, s.opts.StarterBinary != "", "the starter's metrics", FlagStarterMetricsPort, &open.starterMetrics},
		}
	)
	for _, p := range ports {
		number, err := claim(p.wanted, p.ours, p.what, p.flag)
		if err != nil {
			return nil, err
		}
		*p.number = number
	}
	ln, err := s.listen(want.Kafka, "Kafka", FlagKafkaPort)
	if err != nil {
		return nil, err
	}
	open.kafkaListener, open.kafka = ln, portOf(ln)

	for _, app := range s.opts.Apps {
		port := appPort{name: app.Name}
		what, flag := "the app "+app.Name, FlagAppPort(app.Name)
		if s.opts.NoApps {
			port.port, err = claim(app.Port, false, what, flag)
		} else if port.listener, err = s.listen(app.Port, what, flag); err == nil {
			port.port = portOf(port.listener)
		}
		if err != nil {
			return nil, err
		}
		open.apps = append(open.apps, port)
	}
	return &open, nil
}

// listen opens a listener, which Close closes if nobody has done so before.
func (s *Stack) listen(port int, what, flag string) (net.Listener, error) {
	ln, err := listen(port, what, flag)
	if err == nil {
		s.onClose(func() { _ = ln.Close() })
	}
	return ln, err
}

func listen(port int, what, flag string) (net.Listener, error) {
	ln, err := net.Listen("tcp4", address(port))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, &PortInUseError{Port: port, For: what, Flag: flag}
	case err != nil:
		return nil, fmt.Errorf("%s cannot listen on port %d (--%s chooses another): %w", what, port, flag, err)
	}
	return ln, nil
}

func portOf(ln net.Listener) int { return ln.Addr().(*net.TCPAddr).Port }

// claim checks that a port is free, for a part that opens it by its number, and returns
// the number. If port is 0, claim chooses one; for about a minute, the kernel then gives
// it to nobody who asks for any port. A wanted port that is not ours is not checked.
func claim(port int, ours bool, what, flag string) (int, error) {
	if port != 0 && !ours {
		return port, nil
	}
	ln, err := listen(port, what, flag)
	if err != nil {
		return 0, err
	}
	defer func() { _ = ln.Close() }()
	if port != 0 {
		return port, nil
	}
	// A connection that the listening side closed leaves the port in TIME_WAIT: it
	// can be opened by its number, and is not handed out to others.
	client, err := net.Dial("tcp4", ln.Addr().String())
	if err != nil {
		return 0, fmt.Errorf("choose a port for %s: %w", what, err)
	}
	defer func() { _ = client.Close() }()
	server, err := ln.Accept()
	if err != nil {
		return 0, fmt.Errorf("choose a port for %s: %w", what, err)
	}
	_ = server.Close()
	return portOf(ln), nil
}
