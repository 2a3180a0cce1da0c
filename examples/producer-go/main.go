// Command producer-go sends one HR event to Kafka: somebody is hired. It shows everything
// that a producer has to do, with github.com/segmentio/kafka-go. You can use any other
// client.
//
//	KAFKA_BROKERS=localhost:9092 go run ./examples/producer-go
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "producer-go:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	const person = "10004" // HR's own ID: it must never be given to anybody else

	// The event's data. worker always describes the whole person, not only the change.
	data, err := json.Marshal(map[string]any{
		"workerId":      person,
		"effectiveDate": "2026-03-01",
		"worker": map[string]any{
			"workerType": "employee",
			"givenName":  "Ada",
			"familyName": "Byron",
			"department": "Development",
			"startDate":  "2026-03-01",
			"location":   map[string]string{"timeZone": "Europe/Berlin"},
		},
	})
	if err != nil {
		return err
	}

	writer := kafka.Writer{
		Addr:         kafka.TCP(strings.Split(cmp.Or(os.Getenv("KAFKA_BROKERS"), "localhost:9092"), ",")...),
		Topic:        cmp.Or(os.Getenv("KAFKA_TOPIC"), "hr.events"),
		Balancer:     kafka.Murmur2Balancer{}, // as Kafka's own clients do, so that one person has one partition whichever client sends
		RequiredAcks: kafka.RequireAll,        // the event counts as sent once all in-sync replicas have it
		BatchTimeout: 10 * time.Millisecond,
	}
	err = writer.WriteMessages(ctx, kafka.Message{
		Key:   []byte(person), // keeps one person's events in order
		Value: data,
		// The event's attributes (CloudEvents, binary mode).
		Headers: []kafka.Header{
			{Key: "content-type", Value: []byte("application/json")},
			{Key: "ce_specversion", Value: []byte("1.0")},
			{Key: "ce_type", Value: []byte("com.tenurehq.worker.hired.v1")},
			{Key: "ce_source", Value: []byte("/hr/example")},
			{Key: "ce_id", Value: []byte("hire-10004-1")}, // an event with the same source and ID is the same event
			{Key: "ce_subject", Value: []byte(person)},
			{Key: "ce_time", Value: []byte("2026-01-15T09:30:00Z")}, // when HR recorded it
		},
	})
	if closeErr := writer.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		fmt.Println("sent hire-10004-1")
	}
	return err
}
