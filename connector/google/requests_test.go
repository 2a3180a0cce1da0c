package google_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/google/googletest"
	"github.com/tenurehq/tenure/connector/vendortest"
)

// requests returns the classes of the requests that a call makes.
func requests(app *googletest.Service, call func()) (classes []string) {
	app.Door().Calls()
	call()
	for _, r := range app.Door().Calls() {
		classes = append(classes, r.Class)
	}
	return classes
}

// TestALookThatExpectsGroups: as long as an expected group is not shown, a look takes one request,
// and proves nothing. When all are, it is a whole one.
func TestALookThatExpectsGroups(t *testing.T) {
	app, settings := serve(t, nil)
	c := open(t, settings)
	made := create(t, c, "zoe", "p-1", nil)
	ctx := connector.Expecting(t.Context(), []string{"Staff@example.com"})

	app.SetSwitches(googletest.Switches{MembershipsLag: 1})
	require.NoError(t, c.Grant(t.Context(), made.ID, []string{staff}))
	var err error
	assert.Equal(t, []string{"GET /groups"}, requests(app, func() { _, err = c.Read(ctx, made.ID) }))
	assert.True(t, connector.Lacks(err))
	refused(t, err, connector.KindUnavailable)

	var account connector.Account
	assert.Equal(t, []string{"GET /groups", "GET /users/{user}"}, requests(app, func() { account, err = c.Read(ctx, made.ID) }))
	require.NoError(t, err)
	assert.Equal(t, read(t, c, made.ID), account, "it is whole")
	assert.Equal(t, []string{staff}, account.Entitlements)

	assert.Equal(t, []string{"GET /users/{user}"}, requests(app, func() { _, err = c.Read(connector.SparingEntitlements(ctx), made.ID) }))
	require.NoError(t, err)
}

// TestNobodyIsMissingByTheirGroups: that Google knows nobody of this ID when it is asked for groups
// proves nothing. The user does, who is asked for then.
func TestNobodyIsMissingByTheirGroups(t *testing.T) {
	app, settings := serve(t, nil)
	c := open(t, settings)
	made := create(t, c, "zoe", "p-1", nil)
	ctx := connector.Expecting(t.Context(), []string{staff})
	require.NoError(t, c.Delete(t.Context(), made.ID))
	var err error
	assert.Equal(t, []string{"GET /groups", "GET /users/{user}"}, requests(app, func() { _, err = c.Read(ctx, made.ID) }))
	refused(t, err, connector.KindNotFound)

	app.Door().SetFaults(vendortest.Faults{Proxy: true})
	_, err = c.Read(ctx, made.ID)
	refused(t, err, connector.KindUnavailable)
	assert.False(t, connector.Lacks(err), "what a proxy answers says nothing of groups")
}

// TestRolesOfAGroupAreExpectedWithIt: by the list of groups nobody knows the role in one, so that it
// is looked at.
func TestRolesOfAGroupAreExpectedWithIt(t *testing.T) {
	_, settings := serve(t, connector.Settings{"groupRoles": true})
	c := open(t, settings)
	made := create(t, c, "zoe", "p-1", nil)
	ctx := connector.Expecting(t.Context(), []string{staff + ":OWNER"})
	_, err := c.Read(ctx, made.ID)
	assert.True(t, connector.Lacks(err))
	require.NoError(t, c.Grant(t.Context(), made.ID, []string{staff}))
	account, err := c.Read(ctx, made.ID)
	require.NoError(t, err)
	assert.Equal(t, []string{staff}, account.Entitlements, "the caller compares")
}

// TestAMemberAlreadyIsAMember: Google's answer says so, and is not looked into. Where the role
// matters, it is.
func TestAMemberAlreadyIsAMember(t *testing.T) {
	for name, test := range map[string]struct {
		change connector.Settings
		grant  string
		want   []string
	}{
		"in any role": {nil, staff, []string{"GET /users/{user}", "POST /groups/{group}/members"}},
		"in another role": {connector.Settings{"groupRoles": true}, staff + ":OWNER", []string{
			"GET /users/{user}", "POST /groups/{group}/members", "GET /groups/{group}/members/{member}", "PUT /groups/{group}/members/{member}",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			app, settings := serve(t, test.change)
			c := open(t, settings)
			made := create(t, c, "zoe", "p-1", nil)
			require.NoError(t, c.Grant(t.Context(), made.ID, []string{staff}))
			assert.Equal(t, test.want, requests(app, func() { require.NoError(t, c.Grant(t.Context(), made.ID, []string{test.grant})) }))
			assert.Equal(t, []string{test.grant}, read(t, c, made.ID).Entitlements)
		})
	}
}

// TestAChangeWhoseOutcomeIsNotKnownIsSentOnceMore, for a caller who takes note of the doubt: what is
// left of the call needs no second attempt. Others are told of the failure.
func TestAChangeWhoseOutcomeIsNotKnownIsSentOnceMore(t *testing.T) {
	for name, test := range map[string]struct {
		before func(ctx context.Context, c connector.Connector, id string) error
		call   func(ctx context.Context, c connector.Connector, id string) error
		twice  string // the request that is made twice
		looks  int    // how many more requests the second answer costs
	}{
		"given": {nil, func(ctx context.Context, c connector.Connector, id string) error {
			return c.Grant(ctx, id, []string{staff})
		}, "POST /groups/{group}/members", 0},
		"taken": {
			func(ctx context.Context, c connector.Connector, id string) error {
				return c.Grant(ctx, id, []string{staff})
			},
			func(ctx context.Context, c connector.Connector, id string) error {
				return c.Revoke(ctx, id, []string{staff})
			}, "DELETE /groups/{group}/members/{member}", 0,
		},
		"taken, as Tenure gave it": {
			func(ctx context.Context, c connector.Connector, id string) error {
				return c.Grant(ctx, id, []string{staff})
			},
			func(ctx context.Context, c connector.Connector, id string) error {
				return c.Revoke(connector.WithGiven(ctx), id, []string{staff})
			}, "DELETE /groups/{group}/members/{member}", 1,
		},
		"attributes": {nil, func(ctx context.Context, c connector.Connector, id string) error {
			return c.Update(ctx, id, map[string]any{"title": "Engineer"})
		}, "PUT /users/{user}", 0},
		"off":      {nil, func(ctx context.Context, c connector.Connector, id string) error { return c.Disable(ctx, id) }, "POST /users/{user}/verificationCodes/invalidate", 0},
		"sessions": {nil, func(ctx context.Context, c connector.Connector, id string) error { return c.RevokeSessions(ctx, id) }, "POST /users/{user}/signOut", 0},
		"gone":     {nil, func(ctx context.Context, c connector.Connector, id string) error { return c.Delete(ctx, id) }, "DELETE /users/{user}", 0},
	} {
		t.Run(name, func(t *testing.T) {
			app, settings := serve(t, nil)
			c := open(t, settings)
			usual, failing, alone := create(t, c, "zoe", "p-1", nil).ID, create(t, c, "kim", "p-2", nil).ID, create(t, c, "lee", "p-3", nil).ID
			for _, id := range []string{usual, failing, alone} {
				if test.before != nil {
					require.NoError(t, test.before(t.Context(), c, id))
				}
			}
			least := requests(app, func() { require.NoError(t, test.call(t.Context(), c, usual)) })

			doubts := 0
			ctx := connector.NotingDoubts(t.Context(), func() { doubts++ })
			app.Door().SetFaults(vendortest.Faults{FailAfterApply: 1})
			made := requests(app, func() { require.NoError(t, test.call(ctx, c, failing)) })
			assert.Equal(t, 1, doubts)
			assert.Len(t, made, len(least)+1+test.looks)
			count := 0
			for _, class := range made {
				if class == test.twice {
					count++
				}
			}
			assert.Equal(t, 2, count, made)

			app.Door().SetFaults(vendortest.Faults{FailAfterApply: 1})
			refused(t, test.call(t.Context(), c, alone), connector.KindUnavailable)
		})
	}
}

// TestNobodyIsMadeTwice: a creation is not sent again, whoever takes note of what.
func TestNobodyIsMadeTwice(t *testing.T) {
	app, settings := serve(t, nil)
	c := open(t, settings)
	ctx := connector.NotingDoubts(t.Context(), func() { t.Error("nothing is sent again") })
	app.Door().SetFaults(vendortest.Faults{FailAfterApply: 1})
	var err error
	assert.Equal(t, []string{"POST /users"}, requests(app, func() {
		_, err = c.Create(ctx, connector.Spec{Username: "zoe", PersonID: "p-1", Active: true})
	}))
	refused(t, err, connector.KindUnavailable)
}
