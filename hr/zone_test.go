package hr_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
)

func TestLoadZone(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "Pacific/Kiritimati", "UTC", "Europe/Berlin"} {
		loc, err := hr.LoadZone(name)
		require.NoError(t, err)
		assert.Equal(t, name, loc.String())
	}
	for _, name := range []string{
		"", "Local", "local", "localtime", "Mars/Olympus", "right/Europe/Berlin", "posix/Europe/Berlin", "posixrules",
		"../../etc/passwd", "/etc/localtime", "+02:00",
	} {
		_, err := hr.LoadZone(name)
		assert.ErrorContains(t, err, "is not the IANA name of a time zone", "%q", name)
	}
}
