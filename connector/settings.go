package connector

import "github.com/tenurehq/tenure/internal/settings"

// SettingsReader reads Settings strictly: whatever was not asked for by the time
// Err is called is an error, as is a missing or ill-typed setting.
type SettingsReader struct{ *settings.Reader }

// ReadSettings starts reading s.
func ReadSettings(s Settings) *SettingsReader { return &SettingsReader{settings.Read(s)} }

// Err returns all that is wrong with the settings as one *Error, or nil.
func (r *SettingsReader) Err() error {
	if err := r.Reader.Err(); err != nil {
		return &Error{Kind: KindInvalid, Op: OpOpen, Message: err.Error()}
	}
	return nil
}
