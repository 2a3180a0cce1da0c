package stack

import (
	"bytes"
	_ "embed"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"text/template"

	"go.yaml.in/yaml/v3"

	"github.com/tenurehq/tenure/config"
)

// DefaultTemplate makes the stack's own tenure.yaml, by text/template from a
// Rendering.
//
//go:embed tenure.yaml.tmpl
var DefaultTemplate string

// Token is the bearer token of the demo apps.
const Token = "demo"

// tokenFile is the file in which a stack's own tenure.yaml finds Token.
const tokenFile = "app-token"

// Rendering holds the values that a template of tenure.yaml can use.
type Rendering struct {
	Kafka                         string // address
	Topic                         string
	Apps                          []RenderedApp
	WorkerMetrics, StarterMetrics string // addresses
	Clock                         *config.AcceleratedClock
}

// RenderedApp is one demo app in a Rendering.
type RenderedApp struct {
	Name, URL string
}

// render writes tenure.yaml into dir.
func render(text, dir string, r Rendering) (path string, err error) {
	if text == "" {
		text = DefaultTemplate
	}
	t, err := template.New("tenure.yaml").Option("missingkey=error").Parse(text)
	if err != nil {
		return "", fmt.Errorf("the template of tenure.yaml: %w", err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, r); err != nil {
		return "", fmt.Errorf("the template of tenure.yaml: %w", err)
	}
	// The token is in a file, so that a configuration that is copied from this one refers
	// to its secrets, too.
	if err := os.WriteFile(filepath.Join(dir, tokenFile), []byte(Token), 0o600); err != nil {
		return "", err
	}
	path = filepath.Join(dir, "tenure.yaml")
	return path, os.WriteFile(path, out.Bytes(), 0o600)
}

// declared holds what the stack itself has to know about a configuration, its own or
// another one. The product checks whether the configuration is right.
type declared struct {
	Apps map[string]struct {
		Settings map[string]any `yaml:"settings"`
	} `yaml:"apps"`
	Roles []struct {
		Grants []struct {
			App          string   `yaml:"app"`
			Entitlements []string `yaml:"entitlements"`
		} `yaml:"grants"`
	} `yaml:"roles"`
	Metrics struct {
		Worker  string `yaml:"worker"`
		Starter string `yaml:"starter"`
	} `yaml:"metrics"`
}

func readDeclared(path string) (declared, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return declared{}, err
	}
	var d declared
	if err := yaml.Unmarshal(text, &d); err != nil {
		return declared{}, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}

// groupsAt lists, sorted, the entitlements that roles grant in the app at an address.
func (d declared) groupsAt(address string) []string {
	groups := make(map[string]bool)
	for _, role := range d.Roles {
		for _, grant := range role.Grants {
			text, _ := d.Apps[grant.App].Settings["url"].(string)
			at, err := url.Parse(text)
			if err != nil || at.Host != address {
				continue
			}
			for _, name := range grant.Entitlements {
				groups[name] = true
			}
		}
	}
	return sortedKeys(groups)
}

func sortedKeys(set map[string]bool) []string {
	keys := make([]string, 0, len(set))
	for key := range set {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
