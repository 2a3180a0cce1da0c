//go:build !linux

package brokertest

import "syscall"

// dieWithParent has no equivalent outside Linux: there a child outlives a parent that was
// killed, and somebody has to stop it by hand.
func dieWithParent() *syscall.SysProcAttr { return nil }
