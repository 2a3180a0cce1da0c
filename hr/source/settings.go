package source

import "github.com/tenurehq/tenure/internal/settings"

// Settings are a topic's settings from the configuration, secrets resolved.
type Settings map[string]any

// ReadSettings starts reading s: see settings.Reader. Whatever was not asked for by
// the time its Err is called is an error.
func ReadSettings(s Settings) *settings.Reader { return settings.Read(s) }
