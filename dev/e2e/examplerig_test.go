package e2e

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/connector/entra/entratest"
	"github.com/tenurehq/tenure/connector/github/githubtest"
	"github.com/tenurehq/tenure/connector/google/googletest"
	"github.com/tenurehq/tenure/connector/ldap/ldaptest"
	"github.com/tenurehq/tenure/connector/salesforce/salesforcetest"
	"github.com/tenurehq/tenure/connector/scim/scimtest"
	"github.com/tenurehq/tenure/connector/vendortest"
	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/dev/story"
	"github.com/tenurehq/tenure/hr"
)

// exampleDay is how long a day of the example's company takes.
const exampleDay = 800 * time.Millisecond

// vendors are the stand-ins for the apps of examples/company.
type vendors struct {
	entra     *entratest.Tenant
	google    *googletest.Service
	slack     *scimtest.Service
	github    *githubtest.GitHub
	crm       *salesforcetest.Org
	directory *ldaptest.Server
}

// exampleRig runs the company of examples/company.
type exampleRig struct {
	*rig
	vendors
}

// document is a YAML mapping.
type document = map[string]any

// readExample reads examples/company with its parts, as one document.
func readExample(t *testing.T) document {
	t.Helper()
	folder := filepath.Join("..", "..", "examples", "company")
	read := func(path string) (d document) {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, yaml.Unmarshal(text, &d))
		return d
	}
	whole := read(filepath.Join(folder, "tenure.yaml"))
	apps, roles := document{}, []any{}
	parts, err := filepath.Glob(filepath.Join(folder, "*", "*.yaml"))
	require.NoError(t, err)
	for _, path := range parts {
		part := read(path)
		if more, ok := part["apps"].(document); ok {
			maps.Copy(apps, more)
		}
		if more, ok := part["roles"].([]any); ok {
			roles = append(roles, more...)
		}
	}
	delete(whole, "include")
	whole["apps"], whole["roles"] = apps, roles
	return whole
}

// entitlementsOf lists what the roles of a document grant in an app, without names that begin
// with a prefix.
func entitlementsOf(d document, app string) []string {
	var names []string
	for _, role := range d["roles"].([]any) {
		for _, grant := range role.(document)["grants"].([]any) {
			grant := grant.(document)
			given, _ := grant["entitlements"].([]any)
			for _, name := range given {
				if name := name.(string); grant["app"] == app && !strings.Contains(name, ":") && !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		}
	}
	return names
}

// startExample starts the company of examples/company on stand-ins, with so many seats of Power
// BI. Of the configuration it replaces addresses, credentials, how fast apps may be called and
// how often a step in attention is tried again, and nothing else.
func startExample(t *testing.T, seats int, opts stack.Options) *exampleRig {
	t.Helper()
	d := readExample(t)
	v := startVendors(t, d, seats)
	secrets := t.TempDir()
	secret := func(name, text string) string {
		path := filepath.Join(secrets, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return "${file:" + path + "}"
	}
	at := func(h http.Handler) string {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		return server.URL
	}
	key := vendortest.Key()
	template := x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tenure"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	require.NoError(t, err)
	v.entra.Certificate = der
	certificate := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})) + vendortest.PEM(key)
	google := at(v.google)

	for app, settings := range map[string]document{
		"entra": {
			"url": v.entra.URL(), "loginURL": v.entra.URL(), "tenant": entratest.TenantID, "clientID": entratest.ClientID,
			"certificate": secret("entra.pem", certificate),
		},
		"workspace": {
			"url": google, "licensingURL": google, "tokenURL": google + "/token", "licensingInterval": "10ms",
			"key": secret("google.json", v.google.Key()),
		},
		"chat":      {"url": at(v.slack) + scimtest.BasePath, "token": secret("slack-token", "made-up-token")},
		"code":      {"url": at(v.github), "installationID": "77", "privateKey": secret("github-app.key", vendortest.PEM(key))},
		"crm":       {"url": at(v.crm), "privateKey": secret("salesforce.key", vendortest.PEM(key))},
		"directory": {"url": v.directory.URL(), "password": secret("ldap-password", ldaptest.Password)},
	} {
		its := d["apps"].(document)[app].(document)
		delete(its, "rate")
		maps.Copy(its["settings"].(document), settings)
	}
	for _, app := range []string{"entra", "workspace"} { // the stand-ins do not lag for the vendors' quarter of an hour
		d["apps"].(document)[app].(document)["settling"] = "1s"
	}
	d["kafka"] = document{"brokers": []string{"{{.Kafka}}"}, "topics": []document{{"name": "{{.Topic}}"}}}
	d["attention"] = document{"recheck": "1s"} // in real time, also where days are short
	d["metrics"] = document{"worker": "{{.WorkerMetrics}}", "starter": "{{.StarterMetrics}}"}
	text, err := yaml.Marshal(d)
	require.NoError(t, err)
	opts.Template = string(text)
	if opts.Clock != nil {
		opts.Template += `
development:
  clock: {epoch: {{.Clock.Epoch.UTC.Format "2006-01-02T15:04:05.999999999Z07:00"}}, start: {{.Clock.Start.UTC.Format "2006-01-02T15:04:05.999999999Z07:00"}}, rate: {{.Clock.Rate}}}
`
	}
	return &exampleRig{rig: startRig(t, opts), vendors: v}
}

// startVendors starts the stand-ins, with the groups, teams, permission sets and licences that
// the roles of the configuration name.
func startVendors(t *testing.T, d document, seats int) vendors {
	t.Helper()
	var v vendors
	var stop func()
	v.entra, stop = entratest.New()
	t.Cleanup(stop)
	v.entra.AddDomain("example.com")
	v.entra.AddSKU("POWER_BI_PRO", seats)
	for _, group := range entitlementsOf(d, "entra") {
		v.entra.AddGroup(group, nil)
	}
	var err error
	v.google, err = googletest.New(entitlementsOf(d, "workspace")...)
	require.NoError(t, err)
	v.google.AddLicence("Google-Vault/Google-Vault", 10)
	v.google.Change(v.google.AddUser(document{
		"primaryEmail": "tenure@example.com", "name": document{"givenName": "Tenure", "familyName": "Tenure"},
	}), document{"isAdmin": true})
	v.slack, err = scimtest.New(scimtest.Options{Name: "Slack", Token: "made-up-token", Groups: entitlementsOf(d, "chat"), Deviations: scimtest.Vendors["slack"]})
	require.NoError(t, err)
	v.github = githubtest.New(githubtest.Options{
		Org: "example", Teams: entitlementsOf(d, "code"), Anybody: true, AppID: "Iv23liExample", Key: &vendortest.Key().PublicKey,
	})
	v.crm = salesforcetest.New(salesforcetest.Options{
		ClientID: "3MVG9example", Username: "tenure@example.com.crm", Key: &vendortest.Key().PublicKey, Audience: "https://login.salesforce.com",
		Groups: entitlementsOf(d, "crm"), Sets: []string{"Sales_Cloud", "Service_Cloud"}, Licences: map[string]int{"SalesUser": 10},
	})
	v.directory, err = ldaptest.New(entitlementsOf(d, "directory")...)
	require.NoError(t, err)
	t.Cleanup(v.directory.Close)
	return v
}

// fastExample starts it with days as short as exampleDay.
func fastExample(t *testing.T, seats int) *exampleRig {
	t.Helper()
	return startExample(t, seats, stack.Options{Clock: &config.AcceleratedClock{
		Epoch: time.Now().Add(2 * time.Second).Truncate(time.Second), // by then everything runs
		Start: story.Start,
		Rate:  float64(24*time.Hour) / float64(exampleDay),
	}})
}

// today is the day in the company.
func (r *exampleRig) today() hr.Date { return hr.DateOf(r.Clock.Now()) }

// account is an account as its app shows it.
type account struct {
	ID           string   `json:"accountId"`
	Active       bool     `json:"active"`
	Link         string   `json:"link"`
	Entitlements []string `json:"entitlements"`
}

// shown asks an app for its accounts, and returns how the person's stands: "none", or "on" or
// "off" and its entitlements. Two accounts are shown as two.
func (r *exampleRig) shown(t *testing.T, app, person string) (state, id string) {
	t.Helper()
	out, said, err := r.tenure(t, "app", "accounts", app, "-o", "json")
	if err != nil {
		return said, ""
	}
	var all []struct {
		account
		Person string `json:"person"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &all), out)
	var states []string
	for _, a := range all {
		if a.Person != person {
			continue
		}
		slices.Sort(a.Entitlements)
		state := "off: "
		if a.Active {
			state = "on: "
		}
		states, id = append(states, state+strings.Join(a.Entitlements, ", ")), a.ID
	}
	if len(states) == 0 {
		return "none", ""
	}
	return strings.Join(states, "; "), id
}

// task is something that a human is asked to do.
type exampleTask struct {
	ID       int64  `json:"id"`
	Person   string `json:"person"`
	App      string `json:"app"`
	Step     string `json:"step"`
	Assignee string `json:"assignee"`
}

// tasks lists what humans are asked to do in an app.
func (r *exampleRig) tasks(t *testing.T, app string) (all []exampleTask) {
	t.Helper()
	out, said, err := r.tenure(t, "task", "list", "-o", "json")
	if err != nil && out == "" {
		t.Log(said)
		return nil
	}
	require.NoError(t, json.Unmarshal([]byte(out), &all), out)
	return slices.DeleteFunc(all, func(task exampleTask) bool { return task.App != app })
}

// answer does every task of an app.
func (r *exampleRig) answer(t *testing.T, app string) {
	t.Helper()
	for _, task := range r.tasks(t, app) {
		if _, said, err := r.tenure(t, "task", "done", strconv.FormatInt(task.ID, 10), "--proof", "seen", "--operator", "grace"); err != nil {
			t.Logf("task %d: %s", task.ID, said) // it may be withdrawn by now
		}
	}
}
