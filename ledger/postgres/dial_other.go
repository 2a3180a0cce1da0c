//go:build !linux

package postgres

import (
	"syscall"
	"time"
)

// giveUpAfter returns nil: the system's own timeouts apply.
func giveUpAfter(time.Duration) func(network, address string, c syscall.RawConn) error { return nil }
