package figures_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/figures"
)

// minute returns an instant some minutes after the beginning of March.
func minute(n int) time.Time { return march.Add(time.Duration(n) * time.Minute) }

func span(from, until int) figures.Span {
	return figures.Span{From: minute(from), Until: minute(until)}
}

func TestWhoseMinutesTheyWere(t *testing.T) {
	type minutes map[figures.Whose]time.Duration
	for name, c := range map[string]struct {
		course figures.Course
		want   minutes
	}{
		"at once": {figures.Course{Due: minute(5), Recorded: minute(0), Received: minute(1), Began: minute(5), Proven: minute(5)}, minutes{}},
		"HR was late": {
			figures.Course{Due: minute(0), Recorded: minute(60), Received: minute(61), Began: minute(63), Proven: minute(64)},
			minutes{figures.OfHR: time.Hour, figures.OfQueue: 3 * time.Minute, figures.OfTenure: time.Minute},
		},
		"it was announced": {
			figures.Course{Due: minute(100), Recorded: minute(0), Received: minute(1), Began: minute(102), Proven: minute(103)},
			minutes{figures.OfQueue: 2 * time.Minute, figures.OfTenure: time.Minute},
		},
		"the app was down": {
			figures.Course{Due: minute(0), Recorded: minute(0), Received: minute(0), Began: minute(1), Proven: minute(50), Down: []figures.Span{span(1, 45)}},
			minutes{figures.OfQueue: time.Minute, figures.OfApp: 44 * time.Minute, figures.OfTenure: 5 * time.Minute},
		},
		"it was held, then the app was down, and somebody was asked": {
			figures.Course{
				Due: minute(0), Recorded: minute(0), Received: minute(0), Began: minute(30), Proven: minute(90),
				Human: []figures.Span{span(5, 25), span(50, 80)}, Down: []figures.Span{span(30, 60)},
			},
			minutes{figures.OfQueue: 10 * time.Minute, figures.OfHuman: 50 * time.Minute, figures.OfApp: 20 * time.Minute, figures.OfTenure: 10 * time.Minute},
		},
		"others had been held when Tenure heard of it": {
			figures.Course{Due: minute(0), Recorded: minute(0), Received: minute(10), Began: minute(30), Proven: minute(31), Human: []figures.Span{span(5, 25)}},
			minutes{figures.OfQueue: 15 * time.Minute, figures.OfHuman: 15 * time.Minute, figures.OfTenure: time.Minute},
		},
		"it was off before": {figures.Course{Due: minute(60), Recorded: minute(0), Received: minute(0), Began: minute(0), Proven: minute(1)}, minutes{}},
		"little is known":   {figures.Course{Due: minute(0), Proven: minute(7)}, minutes{figures.OfTenure: 7 * time.Minute}},
	} {
		assert.Equal(t, map[figures.Whose]time.Duration(c.want), c.course.Minutes(), name)
	}
}

// Whatever happened, and in whatever order, the minutes add up to the whole.
func TestMinutesAddUpToTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := func(what string) time.Time {
			if n := rapid.IntRange(-1, 100).Draw(t, what); n >= 0 {
				return minute(n)
			}
			return time.Time{}
		}
		spans := func(what string) (some []figures.Span) {
			for range rapid.IntRange(0, 3).Draw(t, what) {
				some = append(some, figures.Span{From: at(what + " from"), Until: at(what + " until")})
			}
			return some
		}
		c := figures.Course{
			Due: minute(rapid.IntRange(0, 100).Draw(t, "due")), Recorded: at("recorded"), Received: at("received"), Began: at("began"),
			Proven: minute(rapid.IntRange(0, 100).Draw(t, "proven")), Human: spans("human"), Down: spans("down"),
		}
		var sum time.Duration
		for whose, took := range c.Minutes() {
			assert.Positive(t, took)
			assert.Contains(t, figures.Everybody(), whose)
			sum += took
		}
		assert.Equal(t, max(c.Proven.Sub(c.Due), 0), sum)
	})
}
