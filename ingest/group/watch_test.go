package group

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestWatchdog(t *testing.T) {
	now := time.Now()
	w := watchdog{after: time.Minute}
	look := func(after time.Duration, next, end int64) verdict {
		now = now.Add(after)
		return w.look(now, next, end)
	}
	assert.Equal(t, moving, look(0, 5, 5))
	assert.Equal(t, moving, look(time.Hour, 5, 5), "nothing there")
	assert.Equal(t, moving, look(time.Second, 5, 9), "just came")
	assert.Equal(t, moving, look(59*time.Second-time.Second, 5, 9))
	assert.Equal(t, stuckAlarm, look(2*time.Second, 5, 9))
	assert.Equal(t, stuck, look(time.Second, 5, 9), "said already")
	assert.Equal(t, stuckAlarm, look(time.Minute, 5, 9), "say it again")
	assert.Equal(t, moving, look(time.Second, 6, 9))
	assert.Equal(t, moving, look(59*time.Second, 6, 9))
	assert.Equal(t, stuckAlarm, look(2*time.Second, 6, 9))
}
