package entra_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/vendortest"
)

// TestAChangeWhoseOutcomeIsNotKnownIsSentOnceMore, for a caller who takes note of the doubt: what is
// left of the call needs no second attempt. Others are told of the failure.
func TestAChangeWhoseOutcomeIsNotKnownIsSentOnceMore(t *testing.T) {
	joined := func(ctx context.Context, c connector.Connector, id string) error {
		return c.Grant(ctx, id, []string{"staff"})
	}
	for name, test := range map[string]struct {
		before func(ctx context.Context, c connector.Connector, id string) error
		call   func(ctx context.Context, c connector.Connector, id string) error
		twice  string // the request that is made twice
		looks  int    // how many more requests the second answer costs
	}{
		"given": {nil, joined, "POST /groups/{id}/members/$ref", 0},
		"taken": {joined, func(ctx context.Context, c connector.Connector, id string) error {
			return c.Revoke(ctx, id, []string{"staff"})
		}, "DELETE /groups/{id}/members/{id}/$ref", 0},
		"attributes": {nil, func(ctx context.Context, c connector.Connector, id string) error {
			return c.Update(ctx, id, map[string]any{"jobTitle": "Engineer"})
		}, "PATCH /users/{id}", 0},
		"manager": {nil, func(ctx context.Context, c connector.Connector, id string) error {
			return c.Update(ctx, id, map[string]any{"manager": id})
		}, "PUT /users/{id}/manager/$ref", 0},
		"no manager": {func(ctx context.Context, c connector.Connector, id string) error {
			return c.Update(ctx, id, map[string]any{"manager": id})
		}, func(ctx context.Context, c connector.Connector, id string) error {
			return c.Update(ctx, id, map[string]any{"manager": ""})
		}, "DELETE /users/{id}/manager/$ref", 1},
		"off":      {nil, func(ctx context.Context, c connector.Connector, id string) error { return c.Disable(ctx, id) }, "PATCH /users/{id}", 0},
		"sessions": {nil, func(ctx context.Context, c connector.Connector, id string) error { return c.RevokeSessions(ctx, id) }, "POST /users/{id}/revokeSignInSessions", 0},
		"gone":     {nil, func(ctx context.Context, c connector.Connector, id string) error { return c.Delete(ctx, id) }, "DELETE /users/{id}", 0},
	} {
		t.Run(name, func(t *testing.T) {
			tenant := start(t)
			tenant.AddGroup("staff", nil)
			c := open(t, tenant, nil)
			usual, failing, alone := create(t, c, nil).ID, create(t, c, nil).ID, create(t, c, nil).ID
			for _, id := range []string{usual, failing, alone} {
				require.NoError(t, joined(t.Context(), c, create(t, c, nil).ID), "the group's name is known")
				if test.before != nil {
					require.NoError(t, test.before(t.Context(), c, id))
				}
			}
			tenant.Calls()
			require.NoError(t, test.call(t.Context(), c, usual))
			least := tenant.Calls()

			doubts := 0
			ctx := connector.NotingDoubts(t.Context(), func() { doubts++ })
			tenant.Door().SetFaults(vendortest.Faults{FailAfterApply: 1})
			require.NoError(t, test.call(ctx, c, failing))
			made := tenant.Calls()
			assert.Equal(t, 1, doubts)
			assert.Len(t, made, len(least)+1+test.looks)
			count := 0
			for _, class := range made {
				if class == test.twice {
					count++
				}
			}
			assert.Equal(t, 2, count, made)

			tenant.Door().SetFaults(vendortest.Faults{FailAfterApply: 1})
			fails(t, test.call(t.Context(), c, alone), connector.KindUnavailable, "")
		})
	}
}

// TestNobodyIsMadeTwice: a creation is not sent again, whoever takes note of what. Neither is a
// password: nobody knows whether Entra ID takes the same one twice.
func TestNobodyIsMadeTwice(t *testing.T) {
	tenant := start(t)
	c := open(t, tenant, nil)
	made := create(t, c, nil)
	tenant.Calls()
	ctx := connector.NotingDoubts(t.Context(), func() { t.Error("nothing is sent again") })
	tenant.Door().SetFaults(vendortest.Faults{FailAfterApply: 1})
	_, err := c.Create(ctx, connector.Spec{Username: "zoe", PersonID: "p-1", Active: true})
	fails(t, err, connector.KindUnavailable, "")
	assert.Equal(t, []string{"POST /users"}, tenant.Calls())

	tenant.Door().SetFaults(vendortest.Faults{FailAfterApply: 1})
	fails(t, c.ResetCredentials(ctx, made.ID), connector.KindUnavailable, "")
	assert.Equal(t, []string{"PATCH /users/{id}", "GET /users/{id}"}, tenant.Calls())
}
