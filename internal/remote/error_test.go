package remote_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/internal/remote"
)

func TestAnErrorIsOfTheKindThatItWraps(t *testing.T) {
	missing := &remote.Error{Kind: remote.NotFound, Op: "read"}
	busy := &remote.Error{Kind: remote.RateLimited, Op: "read"}
	for _, c := range []struct {
		err       error
		kinds     []remote.Kind
		is, again bool
	}{
		{missing, []remote.Kind{remote.NotFound}, true, false},
		{fmt.Errorf("app wiki: %w", missing), []remote.Kind{remote.Exists, remote.NotFound}, true, false},
		{missing, []remote.Kind{remote.Exists}, false, false},
		{missing, nil, false, false},
		{fmt.Errorf("app wiki: %w", busy), []remote.Kind{remote.RateLimited}, true, true},
		{errors.New("not_found"), []remote.Kind{remote.NotFound}, false, false},
		{nil, []remote.Kind{remote.NotFound}, false, false},
	} {
		assert.Equal(t, c.is, remote.Is(c.err, c.kinds...), "%v is one of %v", c.err, c.kinds)
		assert.Equal(t, c.again, remote.Retryable(c.err), "%v may go away by itself", c.err)
	}
}
