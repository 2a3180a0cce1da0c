package postgres

import (
	"net"
	"time"
)

// silence is the time after which a machine that does not answer counts as gone.
const silence = 30 * time.Second

// dialer returns a dialer whose connections notice when the other machine is gone. TCP by
// itself would take a quarter of an hour.
func dialer(timeout time.Duration) *net.Dialer {
	return &net.Dialer{
		Timeout:         timeout,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: silence / 3, Interval: silence / 6, Count: 4},
		Control:         giveUpAfter(silence),
	}
}
