package connector

import "github.com/tenurehq/tenure/internal/settings"

// Settings are an app's settings as the configuration has them. Texts that refer
// to secrets are secret.Secret.
type Settings map[string]any

// Setting is one setting of a kind: see package settings.
type Setting = settings.Setting

// Values are checked settings: see package settings.
type Values = settings.Values

// The types of settings.
const (
	TypeText     = settings.TypeText
	TypeSecret   = settings.TypeSecret
	TypeBool     = settings.TypeBool
	TypeInt      = settings.TypeInt
	TypeDuration = settings.TypeDuration
	TypeTexts    = settings.TypeTexts
	TypeMap      = settings.TypeMap
	TypeSettings = settings.TypeSettings
)
