package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/describegroups"
	"github.com/segmentio/kafka-go/protocol/findcoordinator"
	"github.com/segmentio/kafka-go/protocol/metadata"

	"github.com/tenurehq/tenure/internal/backoff"
	"github.com/tenurehq/tenure/internal/checkup"
	"github.com/tenurehq/tenure/internal/words"
)

// Topic names a topic of events, and the topic of its dead letters.
type Topic struct{ Name, DeadLetters string }

// Probe reports whether a consumer of these topics, in this group, could work: whether
// every broker is reached, every topic exists and may be read or written, and the group
// may be joined. It changes nothing: it joins no group, and reads and writes no record.
func (c Cluster) Probe(ctx context.Context, topics []Topic, group string) checkup.Report {
	p := &probe{
		cluster: c,
		report:  checkup.Report{System: "Kafka", Address: strings.Join(c.Brokers, ", "), Identity: c.Identity()},
	}
	answer := p.reach(ctx, topics)
	if answer == nil {
		return p.report
	}
	p.encryption()
	known := p.brokers(ctx, answer)
	found := map[string]metadata.ResponseTopic{}
	for _, t := range answer.Topics {
		found[t.Name] = t
	}
	for _, t := range topics {
		p.topic(found[t.Name], t.Name, events)
		p.topic(found[t.DeadLetters], t.DeadLetters, letters)
	}
	p.group(ctx, group, known)
	return p.report
}

type probe struct {
	cluster Cluster
	report  checkup.Report
}

// reach asks the first broker that answers about the topics. If none does, it
// reports why, and returns nil.
func (p *probe) reach(ctx context.Context, topics []Topic) *metadata.Response {
	var names []string
	for _, t := range topics {
		names = append(names, t.Name, t.DeadLetters)
	}
	var failed []error
	var answer *metadata.Response
	for _, address := range p.cluster.Brokers {
		err := p.ask(ctx, address, func(w *wire) (err error) {
			answer, err = request[*metadata.Response](w, &metadata.Request{TopicNames: names, IncludeTopicAuthorizedOperations: true})
			return err
		})
		if err == nil {
			break
		}
		failed = append(failed, fmt.Errorf("%s: %w", address, err))
		if errors.Is(err, kafka.SASLAuthenticationFailed) {
			break // other brokers would refuse the same password
		}
	}
	p.report.Reached = answer != nil
	for _, err := range failed {
		if p.report.Reached {
			p.report.Add("brokers", checkup.Note, err.Error(), "correct or remove it in kafka.brokers")
		}
	}
	if !p.report.Reached {
		p.report.Unreached(errors.Join(failed...))
	}
	return answer
}

// ask connects to a broker, asks, and hangs up.
func (p *probe) ask(ctx context.Context, address string, question func(*wire) error) error {
	w, err := p.cluster.wire(ctx, address)
	if err != nil {
		return err
	}
	defer func() { _ = w.Close() }()
	return p.cluster.explain(question(w))
}

func (p *probe) encryption() {
	if p.cluster.TLS == nil {
		p.report.Add("encryption", checkup.Note, "connections are not encrypted: HR's events can be read on the network", "set kafka.tls, unless everything is on one machine")
	}
}

// brokers connects to each broker at the address that it announces, and returns the
// addresses by the brokers' numbers. Records are read from, and written to, all of them.
func (p *probe) brokers(ctx context.Context, answer *metadata.Response) map[int32]string {
	known := map[int32]string{}
	reached := 0
	for _, b := range answer.Brokers {
		address := net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
		known[b.NodeID] = address
		about := fmt.Sprintf("broker %d", b.NodeID)
		if err := p.ask(ctx, address, func(*wire) error { return nil }); err != nil {
			p.report.Add(about, checkup.Missing, fmt.Sprintf("it announces the address %s, and is not reached there: %v", address, err),
				"see that it runs, and that its advertised.listeners has an address that works from here")
			continue
		}
		reached++
	}
	if reached == len(answer.Brokers) {
		p.report.Add("brokers", checkup.OK, words.Count(reached, "broker")+" reached, which is all", "")
	}
	return known
}

// use says how Tenure uses a topic.
type use struct {
	needed, useful operation
	usefulFor      string
	partitions     string // how many a new topic should have
}

// operation is an operation that an ACL allows, by Kafka's number and name (AclOperation).
type operation struct {
	bit  int
	name string
}

var (
	opRead  = operation{3, "Read"}
	opWrite = operation{4, "Write"}

	events  = use{needed: opRead, useful: opWrite, usefulFor: "tenure event send and webhooks need that", partitions: "6"}
	letters = use{needed: opWrite, useful: opRead, usefulFor: "tenure dlq needs that", partitions: "1"}
)

// in reports whether the operation is in a set. Known is false if the broker sent none.
func (o operation) in(set int32) (allowed, known bool) {
	const notSent = -1 << 31
	return set&(1<<o.bit) != 0, set != notSent
}

// topic reports on one topic.
func (p *probe) topic(t metadata.ResponseTopic, name string, u use) {
	about := "topic " + name
	switch err := brokerError(t.ErrorCode); {
	case t.Name == "", errors.Is(err, kafka.UnknownTopicOrPartition):
		p.report.Add(about, checkup.Missing, "it does not exist",
			p.command("kafka-topics.sh", "--create --topic %s --partitions %s --replication-factor 3", name, u.partitions))
		return
	case errors.Is(err, kafka.TopicAuthorizationFailed):
		p.report.Add(about, checkup.Missing, fmt.Sprintf("%s may not even see it: it lacks %s", p.report.Identity, u.needed.name),
			p.allow(u.needed, "--topic "+name))
		return
	case err != nil:
		p.report.Add(about, checkup.Missing, err.Error(), "see that the brokers which have its partitions run")
		return
	}
	for _, partition := range t.Partitions {
		if err := brokerError(partition.ErrorCode); err != nil && !errors.Is(err, kafka.ReplicaNotAvailable) {
			p.report.Add(about, checkup.Missing, fmt.Sprintf("partition %d: %v", partition.PartitionIndex, err), "see that the brokers which have it run")
			return
		}
	}
	size := words.Count(len(t.Partitions), "partition")
	allowed, known := u.needed.in(t.TopicAuthorizedOperations)
	useful, _ := u.useful.in(t.TopicAuthorizedOperations)
	switch {
	case !known:
		p.report.Add(about, checkup.Unknown, fmt.Sprintf("it has %s; the broker does not say whether %s is allowed", size, u.needed.name),
			"see that this is there: "+p.allow(u.needed, "--topic "+name))
	case !allowed:
		p.report.Add(about, checkup.Missing, fmt.Sprintf("it has %s, but %s lacks %s", size, p.report.Identity, u.needed.name),
			p.allow(u.needed, "--topic "+name))
	case !useful:
		p.report.Add(about, checkup.OK, fmt.Sprintf("it has %s, %s is allowed; %s is not, and %s", size, u.needed.name, u.useful.name, u.usefulFor), "")
	default:
		p.report.Add(about, checkup.OK, fmt.Sprintf("it has %s, %s and %s are allowed", size, u.needed.name, u.useful.name), "")
	}
}

// group reports whether the group may be joined, and how many members it has.
func (p *probe) group(ctx context.Context, group string, known map[int32]string) {
	about := "group " + group
	coordinator, err := p.coordinator(ctx, group, known)
	var described *describegroups.Response
	if err == nil {
		err = p.ask(ctx, coordinator, func(w *wire) (err error) {
			described, err = request[*describegroups.Response](w, &describegroups.Request{Groups: []string{group}, IncludeAuthorizedOperations: true})
			if err == nil && len(described.Groups) != 1 {
				err = fmt.Errorf("the broker describes %d groups", len(described.Groups))
			}
			if err == nil {
				err = brokerError(described.Groups[0].ErrorCode)
			}
			return err
		})
	}
	switch {
	case errors.Is(err, kafka.GroupAuthorizationFailed):
		p.report.Add(about, checkup.Missing, fmt.Sprintf("%s lacks Read: it cannot join", p.report.Identity), p.allow(opRead, "--group "+group))
		return
	case err != nil:
		p.report.Add(about, checkup.Unknown, "its coordinator does not answer: "+err.Error(), "try again; see that the brokers are up, and __consumer_offsets has leaders")
		return
	}
	g := described.Groups[0]
	members := words.Count(len(g.Members), "member") + " now"
	allowed, told := opRead.in(g.AuthorizedOperations)
	switch {
	case !told:
		p.report.Add(about, checkup.Unknown, members+"; the broker does not say whether it may be joined", "see that this is there: "+p.allow(opRead, "--group "+group))
	case !allowed:
		p.report.Add(about, checkup.Missing, fmt.Sprintf("%s; %s lacks Read: it cannot join", members, p.report.Identity), p.allow(opRead, "--group "+group))
	default:
		p.report.Add(about, checkup.OK, members+"; it may be joined", "")
	}
}

// coordinator returns the address of the group's coordinator.
func (p *probe) coordinator(ctx context.Context, group string, known map[int32]string) (address string, err error) {
	err = kafka.GroupCoordinatorNotAvailable
	// The coordinator of a cluster's first group takes a moment.
	for errors.Is(err, kafka.GroupCoordinatorNotAvailable) && ctx.Err() == nil {
		for _, broker := range known {
			var answer *findcoordinator.Response
			err = p.ask(ctx, broker, func(w *wire) (err error) {
				answer, err = request[*findcoordinator.Response](w, &findcoordinator.Request{Key: group})
				if err == nil {
					err = brokerError(answer.ErrorCode)
				}
				return err
			})
			if err == nil {
				return net.JoinHostPort(answer.Host, strconv.Itoa(int(answer.Port))), nil
			}
		}
		_ = backoff.Sleep(ctx, 250*time.Millisecond)
	}
	return "", err
}

// allow returns the command that allows an operation.
func (p *probe) allow(o operation, resource string) string {
	return p.command("kafka-acls.sh", "--add --allow-principal %q --operation %s %s", p.cluster.principal(), o.name, resource)
}

// command returns a command of Kafka's own, for an administrator to run.
func (p *probe) command(program, format string, args ...any) string {
	return fmt.Sprintf("%s --bootstrap-server %s %s", program, p.cluster.Brokers[0], fmt.Sprintf(format, args...))
}
