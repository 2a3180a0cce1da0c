package github

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// root is the repository's.
const root = "../.."

// workflow holds the fields of a workflow file that the tests read.
type workflow struct {
	Permissions map[string]string
	Jobs        map[string]struct {
		Container string
		Timeout   int `yaml:"timeout-minutes"`
		Strategy  struct {
			Matrix struct{ Target []string }
		}
		Steps []struct{ Uses, Run string }
	}
}

func read(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, into), path)
}

// targets returns the names of the Makefile's targets.
func targets(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "Makefile"))
	require.NoError(t, err)
	var names []string
	for _, match := range regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllStringSubmatch(string(text), -1) {
		names = append(names, match[1])
	}
	require.Contains(t, names, "check")
	return names
}

var (
	pinned  = regexp.MustCompile(`^[\w./-]+@[0-9a-f]{40}$`)
	digest  = regexp.MustCompile(`@sha256:[0-9a-f]{64}$`)
	toMake  = regexp.MustCompile(`(?m)^make (.*)$`)
	aMatrix = "${{ matrix.target }}"
)

func TestWorkflowsCallTargetsThatThereAre(t *testing.T) {
	known := targets(t)
	var called []string
	files, err := filepath.Glob(filepath.Join(root, ".github/workflows/*.yml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		var w workflow
		read(t, strings.TrimPrefix(file, root), &w)
		assert.Equal(t, map[string]string{"contents": "read"}, w.Permissions, "%s: a job that needs more asks for it itself", file)
		for name, job := range w.Jobs {
			assert.NotZero(t, job.Timeout, "%s, job %s", file, name)
			if job.Container != "" {
				assert.Regexp(t, digest, job.Container, "%s, job %s", file, name)
			}
			for _, step := range job.Steps {
				if step.Uses != "" {
					assert.Regexp(t, pinned, step.Uses, "%s, job %s", file, name)
				}
				for _, match := range toMake.FindAllStringSubmatch(step.Run, -1) {
					if match[1] == aMatrix {
						called = append(called, job.Strategy.Matrix.Target...)
						continue
					}
					called = append(called, strings.Fields(match[1])...)
				}
			}
		}
	}
	for _, target := range called {
		assert.Contains(t, known, target)
	}
	for _, target := range []string{"check", "test", "test-real", "demo", "vulncheck", "release"} {
		assert.Contains(t, called, target, "nothing runs it")
	}
}

// All that builds does so with one image.
func TestOneImageBuilds(t *testing.T) {
	image := regexp.MustCompile(`golang:[\w.-]+@sha256:[0-9a-f]{64}`)
	var images []string
	for _, path := range []string{"Dockerfile", ".devcontainer/Dockerfile", ".github/workflows/ci.yml"} {
		text, err := os.ReadFile(filepath.Join(root, path))
		require.NoError(t, err)
		found := image.FindString(string(text))
		require.NotEmpty(t, found, path)
		images = append(images, found)
	}
	assert.Len(t, slices.Compact(images), 1)
}

func TestDependabotLooksAtFoldersThatThereAre(t *testing.T) {
	var d struct {
		Updates []struct {
			Ecosystem   string `yaml:"package-ecosystem"`
			Directory   string
			Directories []string
		}
	}
	read(t, ".github/dependabot.yml", &d)
	manifest := map[string]string{
		"gomod": "go.mod", "docker": "Dockerfile", "docker-compose": "docker-compose.yml", "github-actions": ".github/workflows/ci.yml",
	}
	require.NotEmpty(t, d.Updates)
	for _, u := range d.Updates {
		require.Contains(t, manifest, u.Ecosystem)
		folders := u.Directories
		if u.Directory != "" {
			folders = append(folders, u.Directory)
		}
		require.NotEmpty(t, folders, u.Ecosystem)
		for _, folder := range folders {
			assert.FileExists(t, filepath.Join(root, folder, manifest[u.Ecosystem]))
		}
	}
}

func TestFormsAreWhole(t *testing.T) {
	for _, name := range []string{"bug.yml", "feature.yml"} {
		var form struct {
			Name, Description string
			Body              []struct {
				Type, ID   string
				Attributes struct{ Label, Value string }
			}
		}
		read(t, ".github/ISSUE_TEMPLATE/"+name, &form)
		assert.NotEmpty(t, form.Name)
		assert.NotEmpty(t, form.Description)
		require.NotEmpty(t, form.Body)
		for _, field := range form.Body {
			if field.Type == "markdown" {
				assert.NotEmpty(t, field.Attributes.Value)
				continue
			}
			assert.Contains(t, []string{"textarea", "input", "dropdown", "checkboxes"}, field.Type)
			assert.NotEmpty(t, field.ID)
			assert.NotEmpty(t, field.Attributes.Label)
		}
	}
}

// Owners match files that there are.
func TestOwnedFoldersAreThere(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, ".github/CODEOWNERS"))
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		require.Greater(t, len(fields), 1, line)
		if strings.HasPrefix(fields[0], "/") {
			_, err := os.Stat(filepath.Join(root, fields[0]))
			assert.NoError(t, err)
		}
	}
}
