package provision_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/hr"
)

// An app that takes no calls for the moment has not taken the last one: nothing of it comes later,
// so that nobody waits for that before access is taken again. After a call without an answer they
// do.
func TestACallThatIsDeclinedIsNotInDoubt(t *testing.T) {
	for name, declined := range map[string]bool{"declined": true, "not answered": false} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			settling := 10 * time.Second
			o.engine.Apps["mail"].Settling = &settling
			failing := true
			o.memory.OnCall(func(_ context.Context, op, _ string) error {
				if op != connector.OpGrant || !failing {
					return nil
				}
				return &connector.Error{Kind: connector.KindUnavailable, Op: op, Message: "busy", Declined: declined}
			})
			o.hear(hr.EventHired)
			require.Error(t, o.settle())
			assert.Equal(t, !declined, o.link().GaveAt.After(o.now), "what may be given yet")
			failing = false
			o.now = o.now.Add(settling)
			o.hear(hr.EventTerminated)
			err := o.settle()
			assert.Equal(t, declined, err == nil, "whether all is taken at once: %v", err)
			assert.Equal(t, declined, o.link().DoubtUntil.IsZero(), "whether the account is not looked at again")
		})
	}
}
