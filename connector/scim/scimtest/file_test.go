package scimtest_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

func TestStateIsKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "wiki.json")
	options := scimtest.Options{File: file, Groups: []string{"staff", "crew"}}
	c := serve(t, options)
	anna := c.make("/Users", `{`+user+`,"userName":"anna","externalId":"E1","emails":[{"value":"a@x","type":"work"}]}`)
	bob := c.make("/Users", `{`+user+`,"userName":"bob","active":false}`)
	gone := c.make("/Users", `{`+user+`,"userName":"carl"}`)
	c.do("DELETE", "/Users/"+gone, "", 204)
	staff := c.app.AddGroup("staff")
	for _, id := range []string{bob, anna} {
		c.do("PATCH", "/Groups/"+staff, fmt.Sprintf(patch, fmt.Sprintf(`{"op":"add","path":"members","value":[{"value":%q}]}`, id)), 204)
	}
	shown := func(c client) []map[string]any {
		var all []map[string]any
		for _, path := range []string{"/Users/" + anna, "/Users/" + bob, "/Groups/" + staff} {
			answer, _ := c.do("GET", path, "", 200, "Host", "x")
			all = append(all, withoutPlace(answer))
		}
		return all
	}
	before := shown(c)
	require.NoError(t, c.app.Close())
	require.NoError(t, c.app.Close(), "again")

	again := serve(t, options)
	assert.Equal(t, before, shown(again))
	assert.Len(t, again.app.Users(), 2)
	again.fails("POST", "/Users", `{`+user+`,"userName":"ANNA"}`, 409, "uniqueness")
	list, _ := again.do("GET", "/Groups", "", 200)
	assert.EqualValues(t, 2, list["totalResults"])
	require.NoError(t, again.app.Close())
}

// withoutPlace removes the addresses, which differ from server to server.
func withoutPlace(resource map[string]any) map[string]any {
	delete(resource["meta"].(map[string]any), "location")
	for _, name := range []string{"groups", "members"} {
		list, _ := resource[name].([]any)
		for _, item := range list {
			delete(item.(map[string]any), "$ref")
		}
	}
	return resource
}

// The file is written while the service runs, and is whole at every moment.
func TestStateIsWrittenAsItChanges(t *testing.T) {
	file := filepath.Join(t.TempDir(), "wiki.json")
	c := serve(t, scimtest.Options{File: file})
	for i := range 50 {
		c.make("/Users", fmt.Sprintf(`{%s,"userName":"u%d"}`, user, i))
		if raw, err := os.ReadFile(file); err == nil {
			assert.True(t, json.Valid(raw))
		}
	}
	assert.Eventually(t, func() bool {
		other, err := scimtest.New(scimtest.Options{File: file})
		return assert.NoError(t, err) && len(other.Users()) == 50 && assert.NoError(t, other.Close())
	}, 10*time.Second, 5*time.Millisecond)
	require.NoError(t, c.app.Close())
	left, err := filepath.Glob(file + ".*")
	require.NoError(t, err)
	assert.Empty(t, left, "temporary files")
}

func TestFilesThatWillNotDo(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "wiki.json")
	require.NoError(t, os.WriteFile(broken, []byte(`{"users":[{"id":`), 0o600))
	_, err := scimtest.New(scimtest.Options{File: broken})
	assert.ErrorContains(t, err, broken)

	nowhere := filepath.Join(t.TempDir(), "missing", "wiki.json")
	app, err := scimtest.New(scimtest.Options{File: nowhere})
	require.NoError(t, err)
	app.AddUser(scimtest.User{UserName: "anna"})
	assert.ErrorContains(t, app.Close(), "missing", "what could not be kept is said")
}
