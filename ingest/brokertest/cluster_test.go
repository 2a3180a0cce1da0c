//go:build real

package brokertest

import (
	"context"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

type suite struct{ *testing.M }

func (s suite) Run() int {
	defer CloseShared()
	return s.M.Run()
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(suite{m}) }

// awaitWritten writes a record, and returns when all in-sync replicas have it.
func awaitWritten(t *testing.T, c *Cluster, topic string) {
	t.Helper()
	var err error
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		w := &kafka.Writer{
			Addr: kafka.TCP(c.Brokers()...), Topic: topic, RequiredAcks: kafka.RequireAll,
			BatchSize: 1, MaxAttempts: 1, Transport: c.transport,
		}
		defer w.Close()
		err = w.WriteMessages(ctx, kafka.Message{Value: []byte("x")})
		return err == nil
	}, patience, tick, "nothing can be written")
}

func TestThreeBrokersSurviveTheLossOfOne(t *testing.T) {
	c := Start(t, Options{Brokers: 3, Listeners: map[string]string{"OTHER": "PLAINTEXT"}})
	require.Len(t, c.Brokers(), 3)
	require.NotEqual(t, c.Brokers(), c.Addresses("OTHER"))
	c.CreateTopic("t", 1, map[string]string{"max.message.bytes": "2000"})
	awaitWritten(t, c, "t")
	c.Coordinator("group")

	first := c.Leader("t", 0)
	c.Kill(first)
	awaitWritten(t, c, "t") // another leader takes it
	c.Restart(first)
	second := c.Leader("t", 0)
	c.Pause(second)
	require.Eventually(t, func() bool { return c.Leader("t", 0) != second }, patience, tick, "a stalled leader is replaced")
	awaitWritten(t, c, "t")
	c.Resume(second)
}

func TestSharedIsOne(t *testing.T) {
	a, b := Shared(t), Shared(t)
	require.Equal(t, a.Brokers(), b.Brokers())
	a.CreateTopic("shared", 3, nil)
	awaitWritten(t, b, "shared")
}
