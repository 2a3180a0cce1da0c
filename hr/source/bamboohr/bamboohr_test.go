package bamboohr_test

import (
	"testing"

	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/bamboohr"
	"github.com/tenurehq/tenure/hr/source/sourcetest"
)

var settings = source.Settings{
	"companyDomain": "example", "apiKey": "k3y", "zone": "Europe/Berlin",
	"zones": map[string]any{"Wellington": "Pacific/Auckland"},
}

func TestGolden(t *testing.T) { sourcetest.Golden(t, bamboohr.Kind, settings) }

func FuzzDecode(f *testing.F) { sourcetest.Fuzz(f, bamboohr.Kind, settings) }
