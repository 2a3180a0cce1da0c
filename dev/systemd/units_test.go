package systemd_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/workflows"
)

const (
	root    = "../.."
	folder  = root + "/deploy/systemd"
	install = "/usr/local/bin/"
)

// unit has the values of a unit's settings by section and key, in order.
type unit map[string]map[string][]string

// parse reads a unit as systemd does: an empty value takes back those before it, and is
// kept as "" if it is the last.
func parse(t *testing.T, text string) unit {
	t.Helper()
	u, section := unit{}, ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") {
			continue
		}
		if name, ok := strings.CutPrefix(line, "["); ok {
			section = strings.TrimSuffix(name, "]")
			u[section] = map[string][]string{}
			continue
		}
		require.NotEmpty(t, section, line)
		key, value, ok := strings.Cut(line, "=")
		require.True(t, ok, line)
		if value == "" {
			u[section][key] = nil
		}
		u[section][key] = append(u[section][key], value)
	}
	return u
}

// each runs a test for every unit of a service.
func each(t *testing.T, test func(t *testing.T, path string, u unit)) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.service"))
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		t.Run(filepath.Base(path), func(t *testing.T) { test(t, path, parse(t, string(text))) })
	}
}

// programs returns the programs that a unit runs: a template runs both.
func programs(path string) []string {
	if strings.HasSuffix(path, "@.service") {
		return []string{"worker", "starter"}
	}
	return []string{strings.TrimPrefix(strings.TrimSuffix(filepath.Base(path), ".service"), "tenure-")}
}

func TestUnitsAreConfined(t *testing.T) {
	want := map[string]string{
		"AmbientCapabilities":     "",
		"CapabilityBoundingSet":   "",
		"DevicePolicy":            "closed",
		"DynamicUser":             "yes",
		"KeyringMode":             "private",
		"LockPersonality":         "yes",
		"MemoryDenyWriteExecute":  "yes",
		"NoNewPrivileges":         "yes",
		"NotifyAccess":            "none",
		"PrivateDevices":          "yes",
		"PrivateIPC":              "yes",
		"PrivateMounts":           "yes",
		"PrivateTmp":              "yes",
		"PrivateUsers":            "yes",
		"ProcSubset":              "pid",
		"ProtectClock":            "yes",
		"ProtectControlGroups":    "yes",
		"ProtectHome":             "yes",
		"ProtectHostname":         "yes",
		"ProtectKernelLogs":       "yes",
		"ProtectKernelModules":    "yes",
		"ProtectKernelTunables":   "yes",
		"ProtectProc":             "invisible",
		"ProtectSystem":           "strict",
		"RemoveIPC":               "yes",
		"RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
		"RestrictNamespaces":      "yes",
		"RestrictRealtime":        "yes",
		"RestrictSUIDSGID":        "yes",
		"StateDirectoryMode":      "0700",
		"SystemCallArchitectures": "native",
		"SystemCallErrorNumber":   "EPERM",
		"SystemCallFilter":        "@system-service ~@privileged @resources",
		"UMask":                   "0077",
	}
	each(t, func(t *testing.T, _ string, u unit) {
		for key, value := range want {
			values, set := u["Service"][key]
			assert.True(t, set, "%s is not set", key)
			assert.Equal(t, value, strings.Join(values, " "), key)
		}
		for _, key := range []string{"ReadWritePaths", "BindPaths", "DeviceAllow", "SupplementaryGroups", "PermissionsStartOnly"} {
			assert.NotContains(t, u["Service"], key, "it takes back what is confined")
		}
		assert.NotEqual(t, "root", strings.Join(u["Service"]["User"], " "))
	})
}

// Whatever ends a process, it comes back, and as often as it takes: a worker that is not
// there offboards nobody.
func TestUnitsComeBack(t *testing.T) {
	each(t, func(t *testing.T, _ string, u unit) {
		assert.Equal(t, []string{"always"}, u["Service"]["Restart"])
		wait := seconds(t, u["Service"]["RestartSec"])
		assert.Positive(t, wait)
		// At systemd's default, five starts within ten seconds and it gives up.
		assert.GreaterOrEqual(t, 5*wait, 10*time.Second, "it gives up after five starts")
		assert.Greater(t, seconds(t, u["Service"]["TimeoutStopSec"]), workflows.StopTimeout, "what is in flight is killed")
		assert.Equal(t, []string{"multi-user.target"}, u["Install"]["WantedBy"], "it does not come back with the machine")
		assert.Equal(t, []string{"network-online.target"}, u["Unit"]["After"])
	})
}

// Go gives memory back before systemd ends the process.
func TestMemoryIsBounded(t *testing.T) {
	each(t, func(t *testing.T, _ string, u unit) {
		limit := ""
		for _, variable := range u["Service"]["Environment"] {
			if value, ok := strings.CutPrefix(variable, "GOMEMLIMIT="); ok {
				limit = value
			}
		}
		require.NotEmpty(t, limit, "GOMEMLIMIT is not set")
		require.Len(t, u["Service"]["MemoryMax"], 1)
		soft, hard := size(t, limit), size(t, u["Service"]["MemoryMax"][0])
		assert.Less(t, soft, hard)
		assert.GreaterOrEqual(t, soft, hard/2, "half of what it may have would be left unused")
	})
}

// The programs are built and installed there, and know the flags.
func TestCommandsExist(t *testing.T) {
	built := t.TempDir()
	guide := read(t, "docs/deploy.md")
	each(t, func(t *testing.T, path string, u unit) {
		require.Len(t, u["Service"]["ExecStart"], 1)
		words := strings.Fields(u["Service"]["ExecStart"][0])
		assert.Contains(t, guide, "install -m 644 deploy/systemd/"+filepath.Base(path)+" /etc/systemd/system/\n")
		for _, program := range programs(path) {
			assert.Equal(t, install+program, strings.ReplaceAll(words[0], "%i", program))
			assert.Regexp(t, `(?m)^install -m 755 .*\bbin/`+program+`\b.* `+install+`$`, guide)
			help := helpOf(t, built, program)
			for _, word := range words[1:] {
				if strings.HasPrefix(word, "-") {
					assert.Regexp(t, `(?m)^\s+--?`+regexp.QuoteMeta(strings.TrimLeft(word, "-"))+`\b`, help, "%s does not know %s", program, word)
				}
			}
		}
		files := slices.DeleteFunc(slices.Concat(words[1:], u["Service"]["EnvironmentFile"]), func(word string) bool { return strings.HasPrefix(word, "-") })
		for _, file := range files {
			assert.Regexp(t, `(?m)^install -m \d+ `+regexp.QuoteMeta(filepath.Base(file))+" "+regexp.QuoteMeta(filepath.Dir(file))+"/$", guide, "nothing is said to put %s there", file)
		}
	})
}

// helpOf returns the program's --help.
func helpOf(t *testing.T, built, program string) string {
	t.Helper()
	path := filepath.Join(built, program)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		build := exec.CommandContext(t.Context(), "go", "build", "-o", path, "./"+program)
		build.Dir = root
		out, err := build.CombinedOutput()
		require.NoError(t, err, string(out))
	}
	out, err := exec.CommandContext(t.Context(), path, "--help").CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	require.NoError(t, err)
	return string(text)
}

func seconds(t *testing.T, values []string) time.Duration {
	t.Helper()
	require.Len(t, values, 1)
	duration, err := time.ParseDuration(values[0])
	require.NoError(t, err)
	return duration
}

// size returns how many bytes 900MiB (as Go says it) or 1G (as systemd does) are: both
// count by 1024.
func size(t *testing.T, text string) int64 {
	t.Helper()
	match := regexp.MustCompile(`^([0-9]+)([KMGT])(iB)?$`).FindStringSubmatch(text)
	require.NotNil(t, match, text)
	number, err := strconv.ParseInt(match[1], 10, 64)
	require.NoError(t, err)
	return number << (10 * (1 + strings.Index("KMGT", match[2])))
}
