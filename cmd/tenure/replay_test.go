package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/internal/service"
)

func TestReplaySelectsPeopleByWhatWasReceived(t *testing.T) {
	s := newSite(t)
	s.people()
	f := &frontend{}
	f.serve(t)
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"one person":     {[]string{"--person", "10001"}, service.ExitDone, "1 person"},
		"of a day":       {[]string{"--from", "2026-02-10", "--to", "2026-02-11"}, service.ExitDone, "1 person"},
		"of a type":      {[]string{"--from", "2026-01-01", "--type", "terminated"}, service.ExitDone, "1 person"},
		"of a system":    {[]string{"--from", "2026-01-01", "--source", "workday"}, service.ExitDone, "3 people"},
		"of another":     {[]string{"--from", "2026-01-01", "--source", "rippling"}, service.ExitDone, "nothing of the kind was received"},
		"of long ago":    {[]string{"--from", "36500d"}, service.ExitDone, "3 people"},
		"nothing said":   {nil, service.ExitUsage, "say what is to be replayed"},
		"no time":        {[]string{"--from", "yesterday"}, service.ExitUsage, "--from yesterday is no time"},
		"unknown person": {[]string{"--person", "4711"}, service.ExitFailed, `the ledger knows no person "4711"`},
		"no rate":        {[]string{"--person", "10001", "--rate", "0"}, service.ExitUsage, "--rate must be above zero"},
	} {
		got := s.run(append([]string{"replay", "--dry-run"}, c.args...)...)
		assert.Equal(t, c.code, got.code, name)
		assert.Contains(t, got.stdout+got.err, c.want, name)
	}
	golden(t, "replay", s.run("replay", "--from", "2026-01-01", "--dry-run").stdout)
	assert.Empty(t, f.nudged, "--dry-run does nothing")

	got := s.run("replay", "--from", "2026-01-01", "--rate", "1000")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, got.err, "3 people are looked at again")
	assert.Equal(t, []string{"person:10001", "person:10002", "person:10003"}, f.nudged)
}
