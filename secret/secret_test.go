package secret_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/secret"
)

func TestASecretIsReadEachTimeItIsUsed(t *testing.T) {
	now := "first"
	s := secret.New(func() (string, error) { return now, nil })
	for _, want := range []string{"first", "second"} {
		now = want
		got, err := s.Reveal()
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	gone := errors.New("${file:/run/token} is missing")
	_, err := secret.New(func() (string, error) { return "", gone }).Reveal()
	assert.ErrorIs(t, err, gone)
}

func TestNothingPrintsASecret(t *testing.T) {
	s := secret.Of("hunter2")
	type holder struct{ Token secret.Secret }
	encoded, err := json.Marshal(holder{s})
	require.NoError(t, err)
	for _, text := range []string{
		s.String(), string(encoded), fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %q %x %d", s, s, s, s, s, s, s),
		fmt.Sprintf("%v %+v %#v", holder{s}, holder{s}, &holder{s}),
	} {
		assert.NotContains(t, text, "hunter2")
		assert.NotContains(t, text, "68756e74657232")
		assert.Contains(t, text, "[secret]")
	}
}

func TestTheZeroSecretIsEmpty(t *testing.T) {
	var s secret.Secret
	got, err := s.Reveal()
	require.NoError(t, err)
	assert.Empty(t, got)
	assert.True(t, s.IsZero())
	assert.False(t, secret.Of("").IsZero())
}
