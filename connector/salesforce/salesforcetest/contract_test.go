//go:build real

package salesforcetest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector/contracttest"
)

// newer lists what the published schema lacks, by object or field, and where Salesforce has it.
var newer = map[string]string{
	"PermissionSetGroup":                           "Object Reference, since API version 45.0",
	"PermissionSetAssignment.PermissionSetGroupId": "Object Reference, since API version 45.0",
	"PermissionSet.Type":                           "Object Reference, since API version 45.0",
}

// TestContractOfSalesforce holds the names of the stand-in's objects and fields, and so those
// that the connector uses, to the fields of Salesforce's standard objects. jsforce made that
// list from an org's own description. It says nothing of what is required or allowed.
func TestContractOfSalesforce(t *testing.T) {
	folder := os.Getenv(contracttest.EnvContracts)
	require.NotEmpty(t, folder, "run `make test-real`, which fetches the contracts")
	text, err := os.ReadFile(filepath.Join(folder, "salesforce.d.ts"))
	require.NoError(t, err)
	applied := map[string]bool{}
	for name, object := range schema {
		found := regexp.MustCompile(`(?s)type Fields\$` + name + ` = \{(.*?)\n\};`).FindSubmatch(text)
		if found == nil {
			applied[name] = true
			assert.Contains(t, newer, name, "no such object")
			continue
		}
		for _, field := range strings.Fields(object.fields) {
			field = strings.TrimSuffix(field, "!")
			if !regexp.MustCompile(`(?m)^\s+` + field + `:`).Match(found[1]) {
				applied[name+"."+field] = true
				assert.Contains(t, newer, name+"."+field, "no such field")
			}
		}
	}
	assert.Len(t, applied, len(newer), "a name that is listed as newer is in the schema")
}
