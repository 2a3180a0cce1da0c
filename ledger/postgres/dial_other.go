//go:build !linux

package postgres

import (
	"syscall"
	"time"
)

// giveUpAfter is left to the system's own patience.
func giveUpAfter(time.Duration) func(network, address string, c syscall.RawConn) error { return nil }
