package contracttest

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// EnvContracts names the environment variable that says where scripts/real/contracts/fetch has
// put the contracts.
const EnvContracts = "TENURE_REAL_CONTRACTS"

// fetched returns the path of a file that scripts/real/contracts/fetch has made.
func fetched(t testing.TB, name string) string {
	t.Helper()
	folder := os.Getenv(EnvContracts)
	require.NotEmpty(t, folder, "%s is not set: run `make test-real`, which fetches the contracts and sets it", EnvContracts)
	return filepath.Join(folder, name)
}

// readOnce returns a function that reads a contract the first time that a test wants it.
func readOnce(read func(t testing.TB) (*Contract, error)) func(testing.TB) *Contract {
	var mu sync.Mutex
	var contract *Contract
	return func(t testing.TB) *Contract {
		t.Helper()
		mu.Lock()
		defer mu.Unlock()
		if contract == nil {
			var err error
			contract, err = read(t)
			require.NoError(t, err)
		}
		return contract
	}
}

// GitHub returns GitHub's OpenAPI document of GitHub Enterprise Cloud: its REST API, and the
// SCIM APIs of organisations and of enterprises. Source: npm @octokit/openapi.
var GitHub = readOnce(func(t testing.TB) (*Contract, error) {
	t.Helper()
	document, err := os.ReadFile(fetched(t, "github.json"))
	require.NoError(t, err)
	return ReadOpenAPI("GitHub's OpenAPI (@octokit/openapi 23.0.2, 9 September 2026)", document)
})

// Okta returns what Okta's SDK for Python says of Okta's API: the SDK is generated from the
// OpenAPI document, which is in no package. Source: PyPI okta, and scripts/real/contracts/okta.py.
var Okta = readOnce(func(t testing.TB) (*Contract, error) {
	t.Helper()
	document, err := os.ReadFile(fetched(t, "okta.json"))
	require.NoError(t, err)
	return ReadOpenAPI("Okta's OpenAPI 5.1.0, as its SDK okta 3.4.6 of 21 September 2026 has it", document)
})

// Google returns Google's discovery documents of the Directory, Data Transfer, Licensing and
// Gmail APIs. Source: PyPI google-api-python-client.
var Google = readOnce(func(t testing.TB) (*Contract, error) {
	t.Helper()
	var documents [][]byte
	for _, name := range []string{"admin.directory_v1", "admin.datatransfer_v1", "licensing.v1", "gmail.v1"} {
		document, err := os.ReadFile(fetched(t, "google/"+name+".json"))
		require.NoError(t, err)
		documents = append(documents, document)
	}
	return ReadDiscovery("Google's discovery documents (google-api-python-client 2.202.0, revised 7 July 2025 to 4 November 2026)", documents...)
})

// Graph returns the types of Microsoft Graph v1.0, and where they go. Source: npm
// @microsoft/microsoft-graph-types.
func Graph(t testing.TB, routes []Route) *Contract {
	t.Helper()
	declarations, err := os.ReadFile(fetched(t, "microsoft-graph.d.ts"))
	require.NoError(t, err)
	c, err := ReadTypes("Microsoft Graph's types (microsoft-graph-types 2.43.1, 3 October 2025)", string(declarations), routes)
	require.NoError(t, err)
	return c
}
