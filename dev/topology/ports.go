package topology

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// loopback is the only interface that anything here listens on.
const loopback = "127.0.0.1"

// The kernel gives outgoing connections ports from 32768 on. Servers that are stopped
// for minutes and started again have ports below that: otherwise a client that tries in
// vain to connect might be given that very port, and connect to itself.
const (
	firstPort = 15000
	lastPort  = 32000
)

// ports holds the port of each server, by its name.
type ports map[string]int

func (p ports) address(what string) string { return net.JoinHostPort(loopback, strconv.Itoa(p[what])) }

func choosePorts(o Options) (ports, error) {
	names := []string{
		"kafka", "kafka-controller", "kafka-clients", "postgresql", "directory", "wiki", "database",
		"temporal", "temporal-http", "temporal-membership", "temporal-metrics",
		"internal", "internal-http", "internal-membership",
		"history", "history-membership", "matching", "matching-membership", "system", "system-membership",
	}
	for i := range o.Workers {
		names = append(names, numbered("worker", i))
	}
	for i := range o.Starters {
		names = append(names, numbered("starter", i))
	}
	chosen, taken := ports{}, map[int]bool{}
	for _, name := range names {
		port, err := freePort(taken)
		if err != nil {
			return nil, fmt.Errorf("choose a port for %s: %w", name, err)
		}
		chosen[name], taken[port] = port, true
	}
	return chosen, nil
}

func freePort(taken map[int]bool) (int, error) {
	for range 200 {
		port := firstPort + rand.IntN(lastPort-firstPort) //nolint:gosec // needs no secrecy
		if taken[port] {
			continue
		}
		if ln, err := net.Listen("tcp4", net.JoinHostPort(loopback, strconv.Itoa(port))); err == nil {
			return port, ln.Close()
		}
	}
	return 0, errors.New("none is free")
}

// numbered is "worker-1" for the first one.
func numbered(what string, i int) string { return fmt.Sprintf("%s-%d", what, i+1) }
