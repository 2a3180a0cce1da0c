package bench

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// No vendor gets more than a tenth more requests than its protocol needs for a change.
func TestVendorCalls(t *testing.T) {
	r, err := openRig(t.Context())
	require.NoError(t, err)
	defer r.close()
	all, err := r.vendorCalls(t.Context())
	require.NoError(t, err)
	assert.Len(t, all, 4*len(vendorChanges))
	for _, c := range all {
		assert.Positive(t, c.Total)
		assert.LessOrEqual(t, float64(c.Total), 1.1*float64(c.Least), "%s, %s: %s", c.Vendor, c.Change, mostFirst(c.Calls))
		assert.GreaterOrEqual(t, c.Total, c.Least, "%s, %s: the least is less", c.Vendor, c.Change)
	}
	var out bytes.Buffer
	Report{Vendors: all}.Print(&out)
	assert.Contains(t, out.String(), "entitle, remove")
	assert.Contains(t, out.String(), "Entra ID. find")
}

// companyPeople is how many people the company of the tests has.
const companyPeople = 60

// The vendors end as policy says, within their quotas and with a tenth more requests at most
// than their protocols need.
func TestCompanyInVendors(t *testing.T) {
	r, err := openRig(t.Context())
	require.NoError(t, err)
	defer r.close()
	totals, wrong, err := r.company(t.Context(), CompanyOptions{People: companyPeople, Parts: 4, Faster: 60})
	require.NoError(t, err)
	for _, v := range totals {
		t.Logf("%s: %d requests, at least %d, %d refused", v.Vendor, v.Total, v.Least, v.Refused)
		assert.LessOrEqual(t, float64(v.Total), 1.1*float64(v.Least), "%s: %s", v.Vendor, mostFirst(v.Calls))
	}
	assert.Empty(t, wrong)
}
