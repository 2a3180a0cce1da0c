package source

// Settings are a topic's settings as the configuration has them. Texts that refer
// to secrets are secret.Secret.
type Settings map[string]any
