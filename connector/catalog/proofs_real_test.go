//go:build real

package catalog_test

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/catalog"
	"github.com/tenurehq/tenure/connector/connectortest"
)

var (
	update = flag.Bool("update", false, "write what was registered into proofs.json")
	whole  = flag.Bool("whole", false, "every test ran that registers something")
)

// TestProofsAreRegistered compares proofs.json, from which docs/connectors.md is made, with
// what the tests of this run registered: nothing may be claimed that no test registers.
// scripts/test-real runs it last.
func TestProofsAreRegistered(t *testing.T) {
	data, err := os.ReadFile("proofs.json")
	require.NoError(t, err)
	var claimed []connectortest.Registered
	require.NoError(t, json.Unmarshal(data, &claimed))
	shown := registeredNow(t)
	wanted := shown
	for _, c := range claimed { // of tests that did not run
		if c.Attested || !*whole {
			if !slices.ContainsFunc(shown, func(s connectortest.Registered) bool { return key(s) == key(c) }) {
				wanted = append(wanted, c)
			}
		}
	}
	slices.SortFunc(wanted, func(a, b connectortest.Registered) int { return cmp.Compare(key(a), key(b)) })
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetIndent("", "  ")
	require.NoError(t, encoder.Encode(wanted))
	if *update {
		require.NoError(t, os.WriteFile("proofs.json", out.Bytes(), 0o600))
		return
	}
	assert.Equal(t, out.String(), string(data), "run scripts/test-real again with TENURE_REAL_UPDATE=-update, and then make docs")
	for _, c := range claimed {
		_, ok := catalog.Lookup(c.Kind)
		assert.True(t, ok, "there is no kind %s", c.Kind)
	}
}

// key identifies a proof. What stays the same when its operations change is the claim.
func key(r connectortest.Registered) string {
	r.Ops, r.Exchanges, r.Deviations = nil, 0, nil
	text, _ := json.Marshal(r) //nolint:errchkjson // texts only
	return string(text)
}

// registeredNow returns what the tests of this run registered. Several of one claim count as
// one, with the operations of all.
func registeredNow(t *testing.T) []connectortest.Registered {
	t.Helper()
	file, err := os.Open(os.Getenv(connectortest.EnvProofs))
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	var list []connectortest.Registered
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var r connectortest.Registered
		require.NoError(t, json.Unmarshal(lines.Bytes(), &r))
		kind, ok := catalog.Lookup(r.Kind)
		require.True(t, ok, "there is no kind %s", r.Kind)
		r.Ops = slices.DeleteFunc(r.Ops, func(op string) bool {
			return !slices.ContainsFunc(kind.Operations, func(o connector.Operation) bool { return o.Op == op })
		})
		i := slices.IndexFunc(list, func(other connectortest.Registered) bool { return key(other) == key(r) })
		if i < 0 {
			list = append(list, r)
			continue
		}
		list[i].Ops = append(list[i].Ops, r.Ops...)
		list[i].Deviations = append(list[i].Deviations, r.Deviations...)
		list[i].Exchanges += r.Exchanges
	}
	for i := range list {
		slices.Sort(list[i].Ops)
		list[i].Ops = slices.Compact(list[i].Ops)
		slices.Sort(list[i].Deviations)
		list[i].Deviations = slices.Compact(list[i].Deviations)
	}
	return list
}
