package targets

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Target is a server as its own tools show it.
type Target interface {
	Name() string
	// Settings returns the settings of the app in the configuration, as JSON.
	Settings() string
	// Found makes a group.
	Found(t *testing.T, group string)
	// Accounts returns every account by its username.
	Accounts(t *testing.T) map[string]Account
}

// Administrator changes accounts past Tenure.
type Administrator interface {
	Target
	// Titled returns the attribute that holds the title, and Mails how many addresses an account
	// shows.
	Titled() string
	Mails() int

	Turn(t *testing.T, username string, on bool)
	Remove(t *testing.T, username string)
	Retitle(t *testing.T, username, title string)
	Put(t *testing.T, username, group string, in bool)
	Create(t *testing.T, username, person string, on bool, mails ...string)
}

// Account is what a server shows of an account.
type Account struct {
	Person string // by ID; empty if the account does not say
	Title  string
	On     bool
	Groups []string // of this run, without their prefix, sorted
}

// ByPerson returns accounts by whose they are. Nobody has two.
func ByPerson(t *testing.T, s Target) map[string]Account {
	t.Helper()
	all := map[string]Account{}
	for _, a := range s.Accounts(t) {
		if a.Person == "" {
			continue
		}
		require.NotContains(t, all, a.Person, "%s: somebody has two accounts", s.Name())
		all[a.Person] = a
	}
	return all
}

// Prefix returns what the names of a run's groups begin with.
func Prefix() string { return "t" + strings.ToLower(rand.Text()[:6]) + "_" }

// fromEnv returns something about a server as scripts/test-real gives it.
func fromEnv(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	require.NotEmpty(t, value, "%s is not set: run `make test-real`, which starts the servers and sets it", name)
	return value
}

// CompanySize returns how many people a company begins with: TENURE_REAL_COMPANY, or as many as
// a test proposes.
func CompanySize(t *testing.T, proposed int) int {
	t.Helper()
	text := os.Getenv("TENURE_REAL_COMPANY")
	if text == "" {
		return proposed
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "TENURE_REAL_COMPANY")
	return n
}

// runTool runs a program with further environment variables and an input, and returns what it
// prints.
func runTool(t *testing.T, env []string, input, name string, args ...string) string {
	t.Helper()
	var out, said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = append(os.Environ(), env...), strings.NewReader(input), &out, &said
	require.NoError(t, cmd.Run(), "%s: %s", name, said.String())
	return out.String()
}

// bare returns the names of groups without the prefix of this run, sorted. Groups without the
// prefix are left out.
func bare(prefix string, names []string) []string {
	var mine []string
	for _, name := range names {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			mine = append(mine, rest)
		}
	}
	slices.Sort(mine)
	return mine
}

// asJSON writes settings.
func asJSON(settings map[string]any) string {
	text, err := json.Marshal(settings)
	if err != nil {
		panic(fmt.Sprintf("targets: settings that JSON does not have: %v", err)) // they are texts and lists of texts
	}
	return string(text)
}
