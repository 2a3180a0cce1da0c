package brokertest

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Plain is the listener that every broker has, without encryption and without sign-in.
// Brokers, and this package, talk to brokers there.
const Plain = "PLAINTEXT"

// controllers is the listener of the controllers among themselves.
const controllers = "CONTROLLER"

// Options configure a cluster. The zero value is one broker with a plain listener.
type Options struct {
	// Brokers is the number of brokers: 1 (also if 0) or 3. Two of three must have a record
	// before it is acknowledged to a producer that waits for all.
	Brokers int
	// Listeners are more listeners by name, each with its security protocol: "SSL",
	// "SASL_PLAINTEXT", "SASL_SSL" or "PLAINTEXT". Set what they need (key stores,
	// mechanisms) in Properties.
	Listeners map[string]string
	// Properties are added to those of every broker, or replace them: see Kafka's
	// "Broker Configs". With an authorizer, "User:ANONYMOUS" must be a super user:
	// it is who talks on the plain listener.
	Properties map[string]string
	// Format are more arguments for formatting the storage, such as
	// "--add-scram", "SCRAM-SHA-256=[name=alice,password=secret]".
	Format []string
}

// listenerNames are the names of the clients' listeners.
func (o Options) listenerNames() []string {
	return append([]string{Plain}, slices.Sorted(maps.Keys(o.Listeners))...)
}

// properties are those of the broker with the number id; it has its directory, and
// all brokers their ports.
func (o Options) properties(id int, dir string, all []ports) map[string]string {
	n := len(all)
	mine := all[id]
	var listeners, protocols, voters []string
	for _, name := range o.listenerNames() {
		listeners = append(listeners, name+"://"+mine.address(name))
		protocol := Plain
		if name != Plain {
			protocol = o.Listeners[name]
		}
		protocols = append(protocols, name+":"+protocol)
	}
	listeners = append(listeners, controllers+"://"+mine.address(controllers))
	protocols = append(protocols, controllers+":PLAINTEXT")
	for i, other := range all {
		voters = append(voters, fmt.Sprintf("%d@%s", i, other.address(controllers)))
	}
	replicas, inSync := strconv.Itoa(n), strconv.Itoa(n/2+1)
	p := map[string]string{
		"process.roles":                  "broker,controller",
		"node.id":                        strconv.Itoa(id),
		"controller.quorum.voters":       strings.Join(voters, ","),
		"controller.listener.names":      controllers,
		"listeners":                      strings.Join(listeners, ","),
		"listener.security.protocol.map": strings.Join(protocols, ","),
		"inter.broker.listener.name":     Plain,
		"log.dirs":                       filepath.Join(dir, "data"),

		"default.replication.factor":               replicas,
		"min.insync.replicas":                      inSync,
		"offsets.topic.replication.factor":         replicas,
		"offsets.topic.num.partitions":             "4",
		"transaction.state.log.replication.factor": replicas,
		"transaction.state.log.min.isr":            inSync,
		"transaction.state.log.num.partitions":     "2",

		// A topic that is missing is a mistake, as in production.
		"auto.create.topics.enable": "false",

		// Tests wait for rebalances and for others to take over: no pause before, and
		// short sessions.
		"group.initial.rebalance.delay.ms": "0",
		"group.min.session.timeout.ms":     "100",
		"broker.session.timeout.ms":        "4000",
		"broker.heartbeat.interval.ms":     "500",
		"replica.lag.time.max.ms":          "4000",

		// It shares a small machine with its clients.
		"num.network.threads":            "2",
		"num.io.threads":                 "4",
		"log.cleaner.dedupe.buffer.size": "4194304",
	}
	maps.Copy(p, o.Properties)
	return p
}
