package source

// Settings holds a topic's settings as the configuration has them. A text that refers to a
// secret is a secret.Secret.
type Settings map[string]any
