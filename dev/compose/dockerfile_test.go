package compose_test

import (
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

// imagesOf lists the images that the Dockerfile starts from.
func imagesOf(t *testing.T) []string {
	t.Helper()
	var images []string
	for _, from := range regexp.MustCompile(`(?m)^FROM (\S+)`).FindAllStringSubmatch(read(t, "Dockerfile"), -1) {
		images = append(images, from[1])
	}
	require.NotEmpty(t, images)
	return images
}

// The image holds what `make build` makes: the same packages with the same flags.
func TestTheImageIsBuiltAsMakeBuilds(t *testing.T) {
	makefile := read(t, "Makefile")
	ldflags := regexp.MustCompile(`(?m)^LDFLAGS := (.*)$`).FindStringSubmatch(makefile)
	require.NotNil(t, ldflags)
	build := regexp.MustCompile(`(?m)^\t@?go build (.*)$`).FindStringSubmatch(makefile)
	require.NotNil(t, build)
	inMake := strings.NewReplacer("$(LDFLAGS)", ldflags[1], "'", `"`, "$(BIN)/", "OUT").Replace(build[1])
	inMake = strings.ReplaceAll(inMake, "$(VERSION)", "${VERSION}")

	inImage := regexp.MustCompile(`(?m)^RUN go build (.*?)(?: \\)?$`).FindStringSubmatch(read(t, "Dockerfile"))
	require.NotNil(t, inImage)
	assert.Equal(t, inMake, strings.ReplaceAll(inImage[1], "/out/", "OUT"))
}

func TestTheImageIsBuiltWithTheModulesGo(t *testing.T) {
	release := regexp.MustCompile(`(?m)^go ([0-9]+\.[0-9]+)`).FindStringSubmatch(read(t, "go.mod"))
	require.NotNil(t, release)
	assert.True(t, strings.HasPrefix(imagesOf(t)[0], "golang:"+release[1]+"."), imagesOf(t)[0])
}

func TestTheImageDoesNotRunAsRoot(t *testing.T) {
	users := regexp.MustCompile(`(?m)^USER (\S+)$`).FindAllStringSubmatch(read(t, "Dockerfile"), -1)
	require.NotEmpty(t, users)
	assert.Regexp(t, `^[1-9][0-9]+:[1-9][0-9]+$`, users[len(users)-1][1])
}
