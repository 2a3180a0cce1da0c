package stack

import (
	"context"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

// TestSecondStartFindsEverything changes something in each part of a stack, closes the
// stack, and finds the changes in a second stack with the same directory and other ports.
func TestSecondStartFindsEverything(t *testing.T) {
	dir := t.TempDir()

	first := start(t, Options{DataDir: dir, Apps: DemoApps(0)})
	temporal, stopWorking := work(t, first)
	_, err := temporal.OperatorService().AddSearchAttributes(t.Context(), &operatorservice.AddSearchAttributesRequest{
		Namespace: Namespace, SearchAttributes: map[string]enumspb.IndexedValueType{"Kept": enumspb.INDEXED_VALUE_TYPE_KEYWORD},
	})
	require.NoError(t, err)
	run, err := temporal.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "sleeper", TaskQueue: "test"}, waitForWord)
	require.NoError(t, err)
	produce(t, first, "one", "two", "three")
	assert.Equal(t, []string{"one", "two"}, consume(t, first, 2))
	id := first.App("crm").Service.AddUser(scimtest.User{UserName: "kept", Active: true, Groups: []string{"sales"}})
	stopWorking()
	first.Close()

	second := start(t, Options{DataDir: dir, Apps: DemoApps(0)})
	require.NotEqual(t, first.KafkaAddress(), second.KafkaAddress())
	temporal, stopWorking = work(t, second)
	defer stopWorking()
	attributes, err := temporal.OperatorService().ListSearchAttributes(t.Context(), &operatorservice.ListSearchAttributesRequest{Namespace: Namespace})
	require.NoError(t, err)
	assert.Contains(t, attributes.CustomAttributes, "Kept")
	require.NoError(t, temporal.SignalWorkflow(t.Context(), "sleeper", run.GetRunID(), "word", "good morning"))
	var heard string
	require.NoError(t, temporal.GetWorkflow(t.Context(), "sleeper", run.GetRunID()).Get(t.Context(), &heard))
	assert.Equal(t, "good morning", heard)

	produce(t, second, "four")
	assert.Equal(t, []string{"three", "four"}, consume(t, second, 2), "the group goes on where it left off")

	users := second.App("crm").Service.Users()
	require.Len(t, users, 1)
	assert.Equal(t, id, users[0].ID)
	assert.Equal(t, []string{"sales"}, users[0].Groups)
	assert.Empty(t, second.App("chat").Service.Users())
}

// waitForWord is a workflow that returns the first word that it is sent.
func waitForWord(ctx workflow.Context) (word string, err error) {
	workflow.GetSignalChannel(ctx, "word").Receive(ctx, &word)
	return word, nil
}

func work(t *testing.T, s *Stack) (client.Client, func()) {
	t.Helper()
	c, err := client.Dial(client.Options{HostPort: s.TemporalAddress(), Namespace: Namespace})
	require.NoError(t, err)
	w := worker.New(c, "test", worker.Options{})
	w.RegisterWorkflow(waitForWord)
	require.NoError(t, w.Start())
	return c, func() {
		w.Stop()
		c.Close()
	}
}

// produce appends values to one partition.
func produce(t *testing.T, s *Stack, values ...string) {
	t.Helper()
	records := make([]kafka.Record, len(values))
	for i, value := range values {
		records[i] = kafka.Record{Value: kafka.NewBytes([]byte(value)), Time: time.Now()}
	}
	response, err := (&kafka.Client{Addr: kafka.TCP(s.KafkaAddress())}).Produce(t.Context(), &kafka.ProduceRequest{
		Topic: TopicEvents, Partition: 1, RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(records...),
	})
	require.NoError(t, err)
	require.NoError(t, response.Error)
}

// consume reads the next n values as the consumer group "readers", and commits.
func consume(t *testing.T, s *Stack, n int) []string {
	t.Helper()
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers: []string{s.KafkaAddress()}, GroupID: "readers", Topic: TopicEvents,
		StartOffset: kafka.FirstOffset, MaxWait: 100 * time.Millisecond,
	})
	defer reader.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var values []string
	for range n {
		message, err := reader.FetchMessage(ctx)
		require.NoError(t, err)
		values = append(values, string(message.Value))
		require.NoError(t, reader.CommitMessages(ctx, message))
	}
	return values
}
