package settings

import (
	"errors"
	"maps"
	"slices"

	"github.com/tenurehq/tenure/secret"
)

// Withhold returns the settings with all their secrets withheld, for code that checks or
// describes an app and does not use it.
func Withhold(settings map[string]any) map[string]any {
	if settings == nil {
		return nil
	}
	return withhold(settings).(map[string]any)
}

func withhold(value any) any {
	switch value := value.(type) {
	case secret.Secret:
		return secret.Withheld()
	case map[string]any:
		all := make(map[string]any, len(value))
		for name, item := range value {
			all[name] = withhold(item)
		}
		return all
	case []any:
		all := make([]any, len(value))
		for i, item := range value {
			all[i] = withhold(item)
		}
		return all
	default:
		return value
	}
}

// Missing returns an error that names the secrets of the settings that cannot be resolved
// now, or nil.
func Missing(settings map[string]any) error { return missing(settings) }

func missing(value any) error {
	var errs []error
	switch value := value.(type) {
	case secret.Secret:
		_, err := value.Reveal()
		return err
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			errs = append(errs, missing(value[name]))
		}
	case []any:
		for _, item := range value {
			errs = append(errs, missing(item))
		}
	}
	return errors.Join(errs...)
}
