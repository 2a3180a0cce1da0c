package broker

import (
	"errors"
	"fmt"
	"testing"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
)

func TestPermanentRefusals(t *testing.T) {
	assert.True(t, Permanent(fmt.Errorf("x: %w", kafka.TopicAuthorizationFailed)))
	assert.False(t, Permanent(kafka.NotEnoughReplicas))
	assert.False(t, Permanent(errors.New("connection refused")))
}
