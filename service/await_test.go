package service

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.temporal.io/api/serviceerror"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// SetUpTemporal waits for a server that is too busy, and not for one that refuses.
func TestTemporalIsSetUpWhenItHasTime(t *testing.T) {
	core, logged := observer.New(zap.WarnLevel)
	for _, answers := range [][]error{
		{fmt.Errorf("updating the schedule: %w", context.DeadlineExceeded), nil},
		{serviceerror.NewUnavailable("stopping"), nil},
		{&serviceerror.ResourceExhausted{}, nil},
		{serviceerror.NewDeadlineExceeded("slow"), nil},
		{serviceerror.NewPermissionDenied("no", "")},
		{errors.New("search attribute TenureStage is of another type")},
	} {
		asked := 0
		err := SetUpTemporal(t.Context(), zap.New(core), func(context.Context) error {
			asked++
			return answers[asked-1]
		})
		assert.Equal(t, len(answers), asked)
		assert.Equal(t, answers[len(answers)-1], err)
	}
	assert.Equal(t, 4, logged.Len(), "each wait is logged")
}
