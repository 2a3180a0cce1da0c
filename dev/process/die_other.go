//go:build !linux

package process

import "syscall"

// dieWithParent has no equivalent outside Linux: there a child outlives a parent
// that was killed, and is stopped by hand.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }
