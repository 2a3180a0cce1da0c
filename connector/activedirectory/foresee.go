package activedirectory

import (
	"maps"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/nearest"
)

func attributeNames() []string { return slices.Sorted(maps.Keys(shapesOf(nil))) }

func foresee(settings *connector.Values) connector.Foresight {
	shapes := shapesOf(settings.Texts("attributes"))
	return connector.Foresight{Attribute: func(name string) string {
		if _, known := shapes[name]; known {
			return ""
		}
		if slices.Contains(own, strings.ToLower(name)) {
			return "cannot be mapped: Tenure sets it itself, or it gives rights"
		}
		return "is not one of Active Directory's usual ones: check its spelling, or name it in the setting attributes" +
			nearest.Hint(name, slices.Collect(maps.Keys(shapes)))
	}}
}
