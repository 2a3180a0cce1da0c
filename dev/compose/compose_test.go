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

	"github.com/tenurehq/tenure/config"
)

const root = "../.."

// example is what .env.example sets.
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

// load loads the compose file as `docker compose` would, with these variables.
func load(t *testing.T, env map[string]string) (*types.Project, error) {
	t.Helper()
	pairs := make([]string, 0, len(env))
	for name, value := range env {
		pairs = append(pairs, name+"="+value)
	}
	options, err := cli.NewProjectOptions([]string{filepath.Join(root, "docker-compose.yml")},
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
		"kafka", "postgresql", "starter", "temporal", "temporal-namespace", "temporal-schema", "temporal-ui", "topics", "worker",
	}
	assert.ElementsMatch(t, want, project(t).ServiceNames())
}

// pinned is a tag that names one release: at least major and minor.
var pinned = regexp.MustCompile(`^[a-z0-9./-]+:v?[0-9]+\.[0-9]+(\.[0-9]+)?(-[a-z0-9.]+)?$`)

func TestImagesArePinned(t *testing.T) {
	for _, s := range project(t).Services {
		if s.Build != nil {
			assert.Equal(t, "tenure:local", s.Image, s.Name)
			continue
		}
		assert.Regexp(t, pinned, s.Image, s.Name)
	}
	for _, image := range imagesOf(t) {
		assert.Regexp(t, pinned, image, "Dockerfile")
	}
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
	for _, name := range []string{"kafka", "postgresql", "temporal", "starter", "worker"} {
		assert.NotNil(t, p.Services[name].HealthCheck, name)
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

func TestProcessesOfTenureAreConfined(t *testing.T) {
	p := project(t)
	for _, name := range []string{"starter", "worker"} {
		s := p.Services[name]
		assert.True(t, s.ReadOnly, name)
		assert.Equal(t, []string{"ALL"}, s.CapDrop, name)
		assert.False(t, s.Privileged, name)
	}
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
		ledger := slices.IndexFunc(s.Volumes, func(v types.ServiceVolumeConfig) bool { return v.Source == "ledger" })
		require.GreaterOrEqual(t, ledger, 0, "%s has no volume for the ledger", name)
		assert.Contains(t, cfg.Ledger.URL, s.Volumes[ledger].Target+"/")
	}
}
