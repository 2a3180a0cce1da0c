package config

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// folder writes files into a folder of the test's own, and changes to it.
func folder(t *testing.T, files map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, "etc", name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	t.Chdir(dir)
}

func TestIncludedFilesCountAsOne(t *testing.T) {
	t.Setenv("TOKEN", "t0ken")
	folder(t, map[string]string{
		"tenure.yaml":     "include: [roles/*.yaml, apps/*.yaml, roles/a.yaml]\nroles:\n- {name: here, when: 'true', grants: [{app: wiki}]}\n" + base,
		"roles/b.yaml":    "roles: [{name: b, when: 'true', grants: [{app: chat}]}]\n",
		"roles/a.yaml":    "roles: &all\n- {name: a, when: 'true', grants: [{app: wiki}]}\napps:\n",
		"roles/ignored":   "nothing of this is read",
		"apps/chat.yaml":  "apps:\n  chat: {connector: memory}\n",
		"apps/empty.yaml": "# nothing yet\n",
		"apps/wiki.yaml":  "apps:\n  wiki:\n    connector: scim\n    settings: {url: 'https://wiki.example.com', token: \"${file:token}\"}\n",
		"token":           "s3cret",
	})
	cfg, err := Load("etc/tenure.yaml")
	require.NoError(t, err)
	assert.Empty(t, cfg.Warnings)
	assert.Len(t, cfg.Apps, 2)
	assert.Equal(t, []string{"here", "a", "b"}, cfg.Policy.RoleNames(), "the document's own first, then by file")
}

func TestWhatIsWrongWithIncludedFiles(t *testing.T) {
	const roles = "roles: [{name: everyone, when: 'true', grants: [{app: wiki}]}]\n"
	const apps = "apps: {wiki: {connector: memory}}\n"
	for name, test := range map[string]struct {
		head  string
		files map[string]string
		want  []string
	}{
		"place": {"include: [r.yaml]\n", map[string]string{"r.yaml": "# a\nroles:\n- name: x\n  when: person.departmnet == 'IT'\n  grants: []\n- {name: y, when: 'true', grants: [{app: wikki}]}\n"},
			[]string{"etc/r.yaml:4:", "etc/r.yaml:6:42: roles[1].grants[0].app:"}},
		"warning's place":  {"include: [a.yaml]\n" + roles, map[string]string{"a.yaml": apps + "\n\nrolls: []\n"}, []string{"etc/a.yaml:4:1: rolls: an included file has apps and roles only: move this to etc/tenure.yaml"}},
		"app twice":        {"include: [a.yaml]\n" + apps, map[string]string{"a.yaml": "\n" + apps}, []string{"etc/a.yaml:2:8: apps.wiki: is there twice (first in etc/tenure.yaml:2)"}},
		"app in two files": {"include: ['*.yml']\n", map[string]string{"a.yml": apps, "b.yml": "\n\n" + apps}, []string{"etc/b.yml:3:8: apps.wiki: is there twice (first in etc/a.yml:1)"}},
		"role twice":       {"include: [r.yaml]\n" + apps + roles, map[string]string{"r.yaml": "\n" + roles}, []string{`etc/r.yaml:2:16: roles[1].name: a role is called "everyone" already (in etc/tenure.yaml:3)`}},
		"no YAML":          {"include: [r.yaml]\n", map[string]string{"r.yaml": "a: b\nc: [\n"}, []string{"etc/r.yaml:2:1: no YAML near here"}},
		"two documents":    {"include: [r.yaml]\n", map[string]string{"r.yaml": "apps:\n---\napps:\n"}, []string{"etc/r.yaml:2:1: a second document begins here"}},
		"no mapping":       {"include: [r.yaml]\n", map[string]string{"r.yaml": "[a]\n"}, []string{"etc/r.yaml:1:1: must be a mapping"}},
		"wrong form":       {"include: [r.yaml]\n", map[string]string{"r.yaml": "apps: [a]\nroles: {}\n"}, []string{"etc/r.yaml:1:7: apps: must be a mapping, not a list", "etc/r.yaml:2:8: roles: must be a list, not a mapping"}},
		"includes":         {"include: [r.yaml]\n", map[string]string{"r.yaml": "include: [tenure.yaml]\n"}, []string{"etc/r.yaml:1:1: include: an included file has apps and roles only"}},
		"nothing":          {"include: [rolls/*.yaml]\n", nil, []string{"etc/tenure.yaml:1:11: include[0]: matches no file"}},
		"itself":           {"include: ['*.yaml']\n", nil, []string{"etc/tenure.yaml is the configuration itself"}},
		"outside":          {"include: [../secret.yaml]\n", nil, []string{"must be below the folder of the configuration"}},
		"absolute":         {"include: [/etc/passwd]\n", nil, []string{"must be below the folder of the configuration"}},
		"folder":           {"include: [sub]\n", map[string]string{"sub/a.yaml": ""}, []string{"etc/sub is no file"}},
		"no pattern":       {"include: ['[']\n", nil, []string{"include[0]: is no pattern"}},
		"no list":          {"include: r.yaml\n", nil, []string{"include: must be a list"}},
		"within a literal": {"include: [r.yaml]\n" + apps, map[string]string{"r.yaml": "roles:\n- name: x\n  grants: []\n  when: |\n    true &&\n      nobody\n"}, []string{"etc/r.yaml:6:7: roles[0].when:"}},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"tenure.yaml": test.head + base}
			maps.Copy(files, test.files)
			folder(t, files)
			_, err := Load("etc/tenure.yaml")
			for _, want := range test.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

// A link within the folder is fine (mounted volumes are made of them); one that leads
// out is not followed.
func TestIncludedLinks(t *testing.T) {
	folder(t, map[string]string{
		"tenure.yaml": "include: [apps.yaml]\n" + base, "..data/apps.yaml": "apps: {wiki: {connector: memory}}\n", "../outside.yaml": "apps: {wiki: {connector: memory}}\n",
	})
	require.NoError(t, os.Symlink("..data/apps.yaml", "etc/apps.yaml"))
	cfg, err := Load("etc/tenure.yaml")
	require.NoError(t, err)
	assert.Len(t, cfg.Apps, 1)
	require.NoError(t, os.Remove("etc/apps.yaml"))
	require.NoError(t, os.Symlink("../outside.yaml", "etc/apps.yaml"))
	_, err = Load("etc/tenure.yaml")
	require.ErrorContains(t, err, "etc/apps.yaml is a link that leads out of the folder of the configuration")
	require.NoError(t, os.Remove("etc/apps.yaml"))
	require.NoError(t, os.Symlink("gone.yaml", "etc/apps.yaml"))
	_, err = Load("etc/tenure.yaml")
	assert.ErrorContains(t, err, "etc/apps.yaml cannot be read")
}
