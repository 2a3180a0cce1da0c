package words

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestWords(t *testing.T) {
	assert.Equal(t, "0 apps", Count(0, "app"))
	assert.Equal(t, "1 app", Count(1, "app"))
	assert.Equal(t, "2 apps", Count(2, "app"))
	assert.Empty(t, Tally(nil, ""))
	assert.Equal(t, "wiki 2, chat 1, crm 1", Tally(map[string]int{"crm": 1, "wiki": 2, "chat": 1}, ""))
	assert.Equal(t, "others 1, chat 1", Tally(map[string]int{"chat": 1, "": 1}, "others"))
	assert.Empty(t, Instant(time.Time{}))
	for span, want := range map[time.Duration]string{
		0: "0s", 48 * time.Hour: "2 days", 8 * time.Hour: "8h", 90 * time.Minute: "1h30m", 20 * time.Minute: "20m",
		time.Hour + 5*time.Second: "1h0m5s", 10 * time.Second: "10s", 25 * time.Hour: "25h",
	} {
		assert.Equal(t, want, Span(span))
	}
	assert.Equal(t, "2026-03-01 11:00:00Z", Instant(time.Date(2026, 3, 1, 12, 0, 0, 0, time.FixedZone("", 3600))))
}
