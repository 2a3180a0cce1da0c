package postgres

import (
	"net"
	"time"
)

// silence is how long a machine that is gone without saying so is believed in.
const silence = 30 * time.Second

// dialer makes connections that notice when the other machine is gone, which
// TCP by itself would take a quarter of an hour for.
func dialer(timeout time.Duration) *net.Dialer {
	return &net.Dialer{
		Timeout:         timeout,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: silence / 3, Interval: silence / 6, Count: 4},
		Control:         giveUpAfter(silence),
	}
}
