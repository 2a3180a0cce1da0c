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

// controllers names the listener on which controllers talk to each other.
const controllers = "CONTROLLER"

// Options configures a cluster. The zero value is one broker with a plain listener.
type Options struct {
	// Brokers is the number of brokers: 1 (also if 0) or 3. Two of three must have a record
	// before it is acknowledged to a producer that waits for all.
	Brokers int
	// Listeners holds further listeners, with the security protocol of each by name:
	// "SSL", "SASL_PLAINTEXT", "SASL_SSL" or "PLAINTEXT". Set what they need (key stores,
	// mechanisms) in Properties.
	Listeners map[string]string
	// Properties are added to the properties of every broker, or replace them: see
	// Kafka's "Broker Configs". With an authorizer, "User:ANONYMOUS" must be a super
	// user, because that is who uses the plain listener.
	Properties map[string]string
	// Format holds further arguments for formatting the storage, such as "--add-scram",
	// "SCRAM-SHA-256=[name=alice,password=secret]".
	Format []string
}

// listenerNames returns the names of the listeners for clients.
func (o Options) listenerNames() []string {
	return append([]string{Plain}, slices.Sorted(maps.Keys(o.Listeners))...)
}

// properties returns the properties of the broker with the number id. dir is its
// directory; all holds the ports of all brokers.
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

		// As in production, a missing topic is an error: no broker creates it.
		"auto.create.topics.enable": "false",

		// Tests wait for rebalances, and for other brokers and members to take over. So
		// there is no pause before a rebalance, and sessions are short.
		"group.initial.rebalance.delay.ms": "0",
		"group.min.session.timeout.ms":     "100",
		"broker.session.timeout.ms":        "4000",
		"broker.heartbeat.interval.ms":     "500",
		"replica.lag.time.max.ms":          "4000",

		// The broker shares a small machine with its clients.
		"num.network.threads":            "2",
		"num.io.threads":                 "4",
		"log.cleaner.dedupe.buffer.size": "4194304",
	}
	maps.Copy(p, o.Properties)
	return p
}
