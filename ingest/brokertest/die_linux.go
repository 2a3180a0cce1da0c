package brokertest

import "syscall"

// dieWithParent makes the kernel kill the child when its parent dies, however
// that happens: see prctl(2), PR_SET_PDEATHSIG.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
