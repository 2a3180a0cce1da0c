package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/policy"
)

// short lets the app refuse usernames of more than six characters.
func (b *biography) short(app string) {
	b.apps[app].OnCall(func(ctx context.Context, op, _ string) error {
		if op != connector.OpCreate {
			return nil
		}
		person, err := b.ledger.Person(ctx, b.person)
		if err != nil || len(person.Username) <= 6 {
			return err
		}
		return &connector.Error{Kind: connector.KindInvalid, Op: op, Message: "a username has six characters at most"}
	})
}

// atMost sets how many characters a username may have by policy.
func (b *biography) atMost(longest int) {
	rules := testRules()
	rules.Person.LongestUsername = longest
	compiled, err := policy.Compile(rules)
	require.NoError(b.t, err)
	b.acts.Policy = compiled
}

// The first app refuses a username that is too long. Once policy makes shorter usernames,
// the person gets one without an operator.
func TestAUsernameThatNoAccountHasIsGivenAnew(t *testing.T) {
	b := newBiography(t, testRules())
	b.short("directory")
	b.hears(0, hired("Development"))
	b.on(30*time.Minute, func() {
		assert.Equal(t, map[string]string{"directory": "invalid"}, b.inAttention())
		b.atMost(6)
	})
	b.live(3 * time.Hour)
	assert.Equal(t, working, b.states())
	assert.Empty(t, b.inAttention())
	for app := range b.apps {
		account, _ := b.account(app)
		assert.Equal(t, "alovel", account.Username, app)
	}
}

// An app that accepts any length has an account with the username already, so it stays.
// An operator decides about the app that refuses it.
func TestAUsernameThatAnAccountHasIsKept(t *testing.T) {
	b := newBiography(t, testRules())
	b.short("chat")
	b.hears(0, hired("Development"))
	b.on(30*time.Minute, func() { b.atMost(6) })
	b.live(3 * time.Hour)
	assert.Equal(t, map[string]string{"chat": "invalid"}, b.inAttention())
	account, _ := b.account("directory")
	assert.Equal(t, "alovelace", account.Username)
}
