package brokertest

import "golang.org/x/sys/unix"

// awaitStopped returns when all threads of a child have stopped. Until then they do what they were
// doing, and kill(2) does not wait for them: see waitid(2), WSTOPPED.
func awaitStopped(pid int) error {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WSTOPPED|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			return err
		}
	}
}
