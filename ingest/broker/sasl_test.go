package broker

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/segmentio/kafka-go/sasl"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/internal/backoff"
)

var (
	oldOnes = Credentials{"tenure", "old"}
	newOnes = Credentials{"tenure", "new"}
)

func haveOld() (Credentials, error) { return oldOnes, nil }

func newGate() *gate { return &gate{pace: backoff.Range{Min: time.Second, Max: time.Minute}} }

func TestRefusedCredentialsAreTriedLessAndLess(t *testing.T) {
	g, now := newGate(), time.Now()
	began := now
	attempts := 0
	for now.Sub(began) < 10*time.Minute {
		wait, _ := g.try(oldOnes, now)
		if wait == 0 {
			attempts++
			continue
		}
		assert.LessOrEqual(t, wait, time.Minute)
		now = now.Add(wait)
	}
	assert.Greater(t, attempts, 10, "it never gives up")
	assert.Less(t, attempts, 30)
}

func TestNewCredentialsAreTriedAtOnce(t *testing.T) {
	g, now := newGate(), time.Now()
	wait, _ := g.try(oldOnes, now)
	require.Zero(t, wait)
	wait, _ = g.try(oldOnes, now)
	require.Positive(t, wait)
	wait, _ = g.try(newOnes, now)
	assert.Zero(t, wait)
}

func TestGoodCredentialsWaitForNobody(t *testing.T) {
	g := newGate()
	_, err := g.enter(t.Context(), haveOld)
	require.NoError(t, err)
	waited := make(chan error)
	go func() {
		_, err := g.enter(t.Context(), haveOld)
		waited <- err
	}()
	g.succeeded(oldOnes)
	require.NoError(t, <-waited)
	for range atOnce - 1 {
		wait, _ := g.try(oldOnes, time.Now())
		assert.Zero(t, wait)
	}
	wait, _ := g.try(oldOnes, time.Now())
	assert.Positive(t, wait, "they may have been revoked meanwhile")
	g.succeeded(oldOnes)
	wait, _ = g.try(oldOnes, time.Now())
	assert.Zero(t, wait)
}

func TestWhoWaitsNoticesNewCredentials(t *testing.T) {
	g := newGate()
	g.pace = backoff.Range{Min: time.Hour, Max: time.Hour}
	_, err := g.enter(t.Context(), haveOld)
	require.NoError(t, err)
	looks := 0
	as, err := g.enter(t.Context(), func() (Credentials, error) {
		if looks++; looks > 1 {
			return newOnes, nil
		}
		return oldOnes, nil
	})
	require.NoError(t, err)
	assert.Equal(t, newOnes, as)
}

func TestWhoWaitsToSignInSaysSo(t *testing.T) {
	g := newGate()
	_, err := g.enter(t.Context(), haveOld)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = g.enter(ctx, haveOld)
	assert.ErrorContains(t, err, `signing in as "tenure" has not succeeded`)
	assert.NotContains(t, err.Error(), "old")
}

func TestPlainPasswordsStayOnTheMachine(t *testing.T) {
	s, err := NewSASL("PLAIN", haveOld)
	require.NoError(t, err)
	start := func(host string, encrypted bool) error {
		ctx := sasl.WithMetadata(t.Context(), &sasl.Metadata{Host: host})
		_, first, err := signer{s, encrypted}.Start(ctx)
		s.gate.succeeded(oldOnes)
		if err == nil {
			assert.Equal(t, "\x00tenure\x00old", string(first))
		}
		return err
	}
	assert.NoError(t, start("127.0.0.1", false))
	assert.NoError(t, start("localhost", false))
	assert.NoError(t, start("kafka.example.com", true))
	assert.ErrorIs(t, start("kafka.example.com", false), errReadable)
	assert.ErrorIs(t, start("192.0.2.1", false), errReadable)
}

func TestUnknownMechanism(t *testing.T) {
	_, err := NewSASL("GSSAPI", nil)
	assert.ErrorContains(t, err, `no SASL mechanism "GSSAPI"`)
	gone := errors.New("the file is empty")
	s, err := NewSASL("PLAIN", func() (Credentials, error) { return Credentials{}, gone })
	require.NoError(t, err)
	_, _, err = signer{s, true}.Start(t.Context())
	assert.ErrorIs(t, err, gone)
}
