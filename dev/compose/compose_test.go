package compose_test

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/tenurehq/tenure/config"
)

const root = "../.."

// example returns the variables that .env.example sets.
func example(t *testing.T) map[string]string {
	t.Helper()
	file, err := os.Open(filepath.Join(root, ".env.example"))
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	set := map[string]string{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), "="); ok && !strings.HasPrefix(name, "#") {
			set[name] = value
		}
	}
	return set
}

// load loads the compose file, and others over it, as `docker compose` would, with
// these variables.
func load(t *testing.T, env map[string]string, over ...string) (*types.Project, error) {
	t.Helper()
	pairs := make([]string, 0, len(env))
	for name, value := range env {
		pairs = append(pairs, name+"="+value)
	}
	options, err := cli.NewProjectOptions(append([]string{filepath.Join(root, "docker-compose.yml")}, over...),
		cli.WithWorkingDirectory(root), cli.WithEnv(pairs))
	require.NoError(t, err)
	return options.LoadProject(t.Context())
}

func project(t *testing.T) *types.Project {
	t.Helper()
	p, err := load(t, example(t))
	require.NoError(t, err)
	return p
}

func TestServices(t *testing.T) {
	want := []string{
		"kafka", "topics", "postgresql", "ledger-database", "temporal-schema", "temporal", "temporal-namespace", "temporal-ui",
		"starter", "worker", "prometheus", "grafana", "directory", "wiki",
	}
	assert.ElementsMatch(t, want, project(t).ServiceNames())
}

// pinned is a tag that names one release (at least major and minor), and the digest of
// what it named when it was last looked at.
var pinned = regexp.MustCompile(`^[a-z0-9./-]+:v?[0-9]+\.[0-9]+(\.[0-9]+)?(-[a-z0-9.-]+)?@sha256:[0-9a-f]{64}$`)

// withoutDigest are the images that are pinned by their tag alone: docs/deploy.md says
// how to pin them.
func withoutDigest(t *testing.T) []string {
	t.Helper()
	_, after, found := strings.Cut(read(t, "docs/deploy.md"), "pinned by their tags alone:\n\n```sh\n")
	require.True(t, found)
	lines, _, _ := strings.Cut(after, "```")
	var images []string
	for line := range strings.Lines(lines) {
		image, ok := strings.CutPrefix(strings.TrimSpace(line), "docker buildx imagetools inspect --format '{{.Manifest.Digest}}' ")
		require.True(t, ok, line)
		images = append(images, image)
	}
	return images
}

// Moving a tag cannot change which image runs: every image has a digest, except
// those that the documentation lists. One of those that has got one must not be listed.
func TestImagesArePinned(t *testing.T) {
	p := project(t)
	excepted := withoutDigest(t)
	var unpinned []string
	check := func(where, image string) {
		if slices.Contains(excepted, image) {
			unpinned = append(unpinned, image)
			image += "@sha256:" + strings.Repeat("0", 64) // its tag is looked at all the same
		}
		assert.Regexp(t, pinned, image, where)
	}
	for _, s := range p.Services {
		if s.Build == nil {
			check(s.Name, s.Image)
			continue
		}
		assert.True(t, strings.HasSuffix(s.Image, ":local"), "%s: %s is built here, and must not be taken for another", s.Name, s.Image)
	}
	for _, dockerfile := range dockerfiles(t) {
		for _, image := range imagesOf(t, dockerfile) {
			if image != "scratch" {
				check(dockerfile, image)
			}
		}
	}
	slices.Sort(unpinned)
	assert.ElementsMatch(t, excepted, slices.Compact(unpinned), "docs/deploy.md lists other images than those without a digest")
}

// One tag has one digest, wherever it is named.
func TestATagHasOneDigest(t *testing.T) {
	var images []string
	for _, s := range project(t).Services {
		if s.Build == nil {
			images = append(images, s.Image)
		}
	}
	for _, dockerfile := range dockerfiles(t) {
		images = append(images, imagesOf(t, dockerfile)...)
	}
	digests := map[string]string{}
	for _, image := range images {
		tag, digest, _ := strings.Cut(image, "@")
		if other, known := digests[tag]; known {
			assert.Equal(t, other, digest, tag)
		}
		digests[tag] = digest
	}
}

// The releases are those that the tests run.
func TestImagesAreOfTheReleasesThatAreTested(t *testing.T) {
	services := project(t).Services
	kafka := regexp.MustCompile(`<artifactId>kafka_[0-9.]+</artifactId>\s*<version>([0-9.]+)</version>`).FindStringSubmatch(read(t, "scripts/real/kafka/pom.xml"))
	require.NotNil(t, kafka)
	module := func(path string) string {
		version := regexp.MustCompile(regexp.QuoteMeta(path) + ` v(\S+)`).FindStringSubmatch(read(t, "dev/go.mod"))
		require.NotNil(t, version, path)
		return version[1]
	}
	tag := func(service string) string {
		tag, _, _ := strings.Cut(services[service].Image, "@")
		return tag
	}
	assert.Equal(t, "apache/kafka:"+kafka[1], tag("kafka"))
	assert.Equal(t, services["kafka"].Image, services["topics"].Image)
	assert.Equal(t, services["postgresql"].Image, services["ledger-database"].Image)
	server := module("go.temporal.io/server")
	assert.Equal(t, "temporalio/server:"+server, tag("temporal"))
	assert.Equal(t, "temporalio/admin-tools:"+server, tag("temporal-schema"))
	assert.Equal(t, "temporalio/admin-tools:"+server, tag("temporal-namespace"))
	assert.Equal(t, "temporalio/ui:"+module("github.com/temporalio/ui-server/v2"), tag("temporal-ui"))
}

func TestPortsAreOnLoopbackOnly(t *testing.T) {
	for _, s := range project(t).Services {
		for _, port := range s.Ports {
			assert.Equal(t, "127.0.0.1", port.HostIP, "%s: %s", s.Name, port.Published)
		}
	}
}

// What runs says how it is; what ends is waited for by its end.
func TestServicesAreWaitedFor(t *testing.T) {
	p := project(t)
	for _, s := range p.Services {
		for name, on := range s.DependsOn {
			switch on.Condition {
			case types.ServiceConditionHealthy:
				assert.NotNil(t, p.Services[name].HealthCheck, "%s waits for the health of %s, which has no check", s.Name, name)
			case types.ServiceConditionCompletedSuccessfully:
				assert.NotEqual(t, "unless-stopped", p.Services[name].Restart, "%s waits for the end of %s, which is restarted", s.Name, name)
			default:
				t.Errorf("%s does not wait until %s is there: condition %s", s.Name, name, on.Condition)
			}
		}
	}
	for name, s := range p.Services {
		if s.Restart == "unless-stopped" {
			assert.NotNil(t, s.HealthCheck, "%s stays, and nothing says whether it is well", name)
		}
	}
}

// Starter and worker are asked by the command line, which the image has.
func TestTheProbesAreThoseOfTheCommandLine(t *testing.T) {
	p := project(t)
	for _, name := range []string{"starter", "worker"} {
		s := p.Services[name]
		assert.Equal(t, []string{name}, []string(s.Command))
		require.NotNil(t, s.HealthCheck, name)
		assert.Equal(t, []string{"CMD", "tenure", "probe", name}, []string(s.HealthCheck.Test))
		assert.Equal(t, 2, *s.Deploy.Replicas, name)
	}
}

func TestThereIsNoDefaultPassword(t *testing.T) {
	for missing := range example(t) {
		env := example(t)
		delete(env, missing)
		_, err := load(t, env)
		assert.ErrorContains(t, err, missing)
	}
}

// secretive are names of variables that hold a secret.
var secretive = regexp.MustCompile(`PASSWORD|PWD|TOKEN|SECRET|_KEY`)

// Secrets are in .env, and not in the compose file.
func TestNoPasswordIsALiteral(t *testing.T) {
	var file struct {
		Services map[string]struct {
			Environment map[string]string `yaml:"environment"`
		} `yaml:"services"`
	}
	require.NoError(t, yaml.Unmarshal([]byte(read(t, "docker-compose.yml")), &file))
	found := 0
	for name, s := range file.Services {
		for variable, value := range s.Environment {
			if secretive.MatchString(variable) {
				found++
				assert.Regexp(t, `^\$\{[A-Z_]+:\?[^}]+\}$`, value, "%s of %s", variable, name)
			}
		}
	}
	assert.GreaterOrEqual(t, found, 7)
	for _, value := range example(t) {
		assert.NotContains(t, read(t, "docker-compose.yml"), value)
	}
}

func TestWhatIsOursIsConfined(t *testing.T) {
	for name, s := range project(t).Services {
		if s.Build == nil {
			continue
		}
		assert.True(t, s.ReadOnly, name)
		assert.Equal(t, []string{"ALL"}, s.CapDrop, name)
		assert.Equal(t, []string{"no-new-privileges:true"}, s.SecurityOpt, name)
		assert.False(t, s.Privileged, name)
		if s.Image == "tenure:local" {
			assert.Regexp(t, `^[1-9][0-9]+:[1-9][0-9]+$`, s.User, name)
			assert.Contains(t, read(t, "Dockerfile"), "USER "+s.User+"\n", name)
		}
	}
}

// relative is a path as seen from the root of the checkout.
func relative(t *testing.T, path string) string {
	t.Helper()
	absolute, err := filepath.Abs(root)
	require.NoError(t, err)
	path, err = filepath.Rel(absolute, path)
	require.NoError(t, err)
	return path
}

// A folder that is not there is made by the engine, as an empty one.
func TestWhatIsMountedExists(t *testing.T) {
	mounted := 0
	for name, s := range project(t).Services {
		for _, v := range s.Volumes {
			if v.Type != types.VolumeTypeBind {
				continue
			}
			mounted++
			assert.True(t, v.ReadOnly, "%s may write %s", name, v.Source)
			_, err := os.Stat(v.Source)
			require.NoError(t, err, name)
		}
	}
	assert.GreaterOrEqual(t, mounted, 7)
}

func TestTheMountedConfigurationLoads(t *testing.T) {
	p := project(t)
	for _, name := range []string{"starter", "worker"} {
		s := p.Services[name]
		path := s.Environment["TENURE_CONFIG"]
		require.NotNil(t, path, name)
		i := slices.IndexFunc(s.Volumes, func(v types.ServiceVolumeConfig) bool { return v.Target == *path })
		require.GreaterOrEqual(t, i, 0, "%s: nothing is mounted at %s", name, *path)
		assert.True(t, s.Volumes[i].ReadOnly)
		for key, value := range s.Environment {
			if value != nil {
				t.Setenv(key, *value)
			}
		}
		cfg, err := config.Load(s.Volumes[i].Source)
		require.NoError(t, err, name)

		assert.Equal(t, []string{"kafka:19092"}, cfg.Kafka.Brokers)
		assert.Contains(t, *p.Services["kafka"].Environment["KAFKA_ADVERTISED_LISTENERS"], "INTERNAL://kafka:19092")
		topics := strings.Join(p.Services["topics"].Command, " ")
		for _, topic := range cfg.Kafka.Topics {
			assert.Contains(t, topics, topic.Name+" ")
			assert.Contains(t, topics, topic.DeadLetters+";")
		}
		for app := range cfg.Apps {
			settings := read(t, relative(t, s.Volumes[i].Source))
			assert.Contains(t, p.ServiceNames(), app, "an app is a service")
			assert.Regexp(t, `url: "[a-z]+://`+app+`:\d+`, settings)
		}
		assert.Regexp(t, `^postgres://tenure:[^@]+@postgresql/tenure\?`, cfg.Ledger.URL)
	}
}

// What docs/deploy.md says to write for apps of one's own takes the place of what the
// file mounts.
func TestTheOverrideOfTheDocumentWorks(t *testing.T) {
	override := regexp.MustCompile("(?s)```yaml\n(services:\n.*?)```").FindStringSubmatch(read(t, "docs/deploy.md"))
	require.NotNil(t, override)
	over := filepath.Join(t.TempDir(), "docker-compose.override.yml")
	require.NoError(t, os.WriteFile(over, []byte(override[1]), 0o600))
	_, err := load(t, example(t), over)
	require.ErrorContains(t, err, "CRM_TOKEN")
	env := example(t)
	env["CRM_TOKEN"] = "secret"
	p, err := load(t, env, over)
	require.NoError(t, err)
	for _, name := range []string{"starter", "worker"} {
		s := p.Services[name]
		assert.Equal(t, "secret", *s.Environment["CRM_TOKEN"], name)
		assert.Contains(t, s.Environment, "TEMPORAL_ADDRESS", name)
		var mounted []string
		for _, v := range s.Volumes {
			if v.Target == "/etc/tenure/tenure.yaml" {
				mounted = append(mounted, filepath.Base(v.Source))
			}
		}
		assert.Equal(t, []string{"tenure.yaml"}, mounted, name)
	}
}
