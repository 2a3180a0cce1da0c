package bench

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// No vendor gets more than a tenth more requests than its protocol needs for a change.
func TestVendorCalls(t *testing.T) {
	r, err := openRig(t.Context(), "")
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

// Where nothing goes wrong, the vendors end as policy says, with a tenth more requests at most
// than their protocols need.
func TestCompanyInVendors(t *testing.T) {
	c := driven(t, CompanyOptions{People: companyPeople, Parts: 4})
	for _, v := range c.Vendors {
		assert.LessOrEqual(t, float64(v.Total), 1.1*float64(v.Least), "%s: %s", v.Vendor, mostFirst(v.Calls))
	}
}

// They end so too where requests are refused and lost, changes show late, tokens end and quotas
// are used up.
func TestCompanyInVendorsThatFail(t *testing.T) {
	c := driven(t, CompanyOptions{People: 20, Parts: 2, PerSecond: 30, Rest: 2 * time.Second, Faults: 1, LostFrom: 1})
	faults, refused := 0, 0
	for _, v := range c.Vendors {
		faults, refused = faults+v.Faults, refused+v.ByQuota
	}
	assert.Positive(t, faults)
	assert.Positive(t, refused, "quotas are used up")
}

// driven drives a company into the vendors, and checks that nothing is wrong.
func driven(t *testing.T, o CompanyOptions) Company {
	t.Helper()
	r, err := openRig(t.Context(), "")
	require.NoError(t, err)
	defer r.close()
	c, err := r.company(t.Context(), o, t.Logf)
	var out bytes.Buffer
	c.print(&out)
	t.Log(out.String())
	require.NoError(t, err)
	assert.Empty(t, c.Wrong)
	return c
}
