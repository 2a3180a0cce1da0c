package compose_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, name))
	require.NoError(t, err)
	return string(content)
}

// imagesOf lists the images that a Dockerfile starts from.
func imagesOf(t *testing.T, dockerfile string) []string {
	t.Helper()
	var images []string
	for _, from := range regexp.MustCompile(`(?m)^FROM (\S+)`).FindAllStringSubmatch(read(t, dockerfile), -1) {
		images = append(images, from[1])
	}
	require.NotEmpty(t, images)
	return images
}

// dockerfiles lists every Dockerfile of the project.
func dockerfiles(t *testing.T) []string {
	t.Helper()
	found := []string{"Dockerfile"}
	for _, folder := range []string{"deploy", "dev", "examples", "scripts"} {
		require.NoError(t, fs.WalkDir(os.DirFS(root), folder, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.Name() == "Dockerfile" {
				found = append(found, path)
			}
			return err
		}))
	}
	return found
}

// The image holds what `make build` makes: the same packages with the same flags.
func TestTheImageIsBuiltAsMakeBuilds(t *testing.T) {
	makefile := read(t, "Makefile")
	ldflags := regexp.MustCompile(`(?m)^LDFLAGS := (.*)$`).FindStringSubmatch(makefile)
	require.NotNil(t, ldflags)
	build := regexp.MustCompile(`(?m)^\t@?(CGO_ENABLED=\d) go build (.*)$`).FindStringSubmatch(makefile)
	require.NotNil(t, build)
	inMake := strings.NewReplacer("$(LDFLAGS)", ldflags[1], "'", `"`, "$(BIN)/", "OUT").Replace(build[2])
	inMake = strings.ReplaceAll(inMake, "$(VERSION)", "${VERSION}")

	dockerfile := read(t, "Dockerfile")
	inImage := regexp.MustCompile(`(?m)^RUN go build (.*?)(?: \\)?$`).FindStringSubmatch(dockerfile)
	require.NotNil(t, inImage)
	assert.Equal(t, inMake, strings.ReplaceAll(inImage[1], "/out/", "OUT"))
	assert.Contains(t, dockerfile, "\nENV "+build[1]+"\n")
}

// The last stage has our programs and whom to trust, and nothing that somebody who
// gets in could use.
func TestTheImageIsEmptyButForUs(t *testing.T) {
	images := imagesOf(t, "Dockerfile")
	assert.Equal(t, "scratch", images[len(images)-1])
	dockerfile := read(t, "Dockerfile")
	last := dockerfile[strings.LastIndex(dockerfile, "\nFROM "):]
	for _, want := range []string{"/out/worker /out/starter /out/tenure /usr/local/bin/\n", "/etc/ssl/certs/ca-certificates.crt\n"} {
		assert.Contains(t, last, want)
	}
	assert.NotContains(t, last, "\nRUN ", "there is no shell")
}

func TestTheImageIsBuiltWithTheModulesGo(t *testing.T) {
	release := regexp.MustCompile(`(?m)^go ([0-9]+\.[0-9]+)`).FindStringSubmatch(read(t, "go.mod"))
	require.NotNil(t, release)
	assert.True(t, strings.HasPrefix(imagesOf(t, "Dockerfile")[0], "golang:"+release[1]+"."), imagesOf(t, "Dockerfile")[0])
}

func TestNoImageOfOursRunsAsRoot(t *testing.T) {
	for _, dockerfile := range dockerfiles(t) {
		users := regexp.MustCompile(`(?m)^USER (\S+)$`).FindAllStringSubmatch(read(t, dockerfile), -1)
		require.NotEmpty(t, users, dockerfile)
		assert.NotRegexp(t, `^(root|0+)\b`, users[len(users)-1][1], dockerfile)
	}
}
