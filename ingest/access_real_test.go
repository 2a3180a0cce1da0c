//go:build real

package ingest

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ingest/brokertest"
	"github.com/tenurehq/tenure/internal/checkup"
)

// The listeners of the strict broker, besides the plain one that its owner uses.
const (
	passwords    = "PASSWORDS"    // SASL over TLS
	readable     = "READABLE"     // SASL without TLS
	certificates = "CERTIFICATES" // TLS with certificates of clients
)

// strict is a broker that asks everybody to sign in, and allows only what an ACL allows.
type strict struct {
	*brokertest.Cluster
	ours   *brokertest.Authority
	theirs *brokertest.Authority
}

func newGuarded(t *testing.T) *strict {
	t.Helper()
	g := &strict{ours: brokertest.NewAuthority(t, "ours"), theirs: brokertest.NewAuthority(t, "theirs")}
	_, _, both := g.ours.Issue("broker", time.Now().Add(time.Hour))
	properties := map[string]string{
		"authorizer.class.name":                      "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
		"super.users":                                "User:ANONYMOUS",
		"ssl.keystore.type":                          "PEM",
		"ssl.keystore.location":                      both,
		"ssl.truststore.type":                        "PEM",
		"ssl.truststore.location":                    g.ours.File,
		"listener.name.certificates.ssl.client.auth": "required",
	}
	for _, listener := range []string{"passwords", "readable"} {
		on := "listener.name." + listener + "."
		properties[on+"sasl.enabled.mechanisms"] = "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"
		properties[on+"plain.sasl.jaas.config"] = `org.apache.kafka.common.security.plain.PlainLoginModule required user_plain="secret";`
		for _, mechanism := range []string{"scram-sha-256", "scram-sha-512"} {
			properties[on+mechanism+".sasl.jaas.config"] = `org.apache.kafka.common.security.scram.ScramLoginModule required;`
		}
	}
	g.Cluster = brokertest.Start(t, brokertest.Options{
		Listeners:  map[string]string{passwords: "SASL_SSL", readable: "SASL_PLAINTEXT", certificates: "SSL"},
		Properties: properties,
		Format: []string{
			"--add-scram", "SCRAM-SHA-256=[name=scram256,password=secret]",
			"--add-scram", "SCRAM-SHA-512=[name=scram512,password=secret]",
		},
	})
	return g
}

func signInAs(t *testing.T, mechanism, username, password string) *broker.SASL {
	t.Helper()
	s, err := broker.NewSASL(mechanism, func() (broker.Credentials, error) {
		return broker.Credentials{Username: username, Password: password}, nil
	})
	require.NoError(t, err)
	return s
}

// tls returns settings of TLS that trust our authority.
func (g *strict) tls() *broker.TLS { return &broker.TLS{CA: g.ours.File} }

// rig returns a rig of the broker's owner, who may do everything. Its topics exist.
func (g *strict) rig(t *testing.T) *rig {
	t.Helper()
	r := newBareRig(t, g.Brokers()...)
	mark := "." + strings.ToLower(rand.Text()[:10])
	r.events, r.dlq, r.group = r.events+mark, r.dlq+mark, r.group+mark
	r.connect()
	r.createTopic(r.events, 2)
	r.createTopic(r.dlq, 1)
	return r
}

// probe checks the rig's topics and group.
func (r *rig) probe(c broker.Cluster) checkup.Report {
	r.t.Helper()
	return c.Probe(bounded(r.t), []broker.Topic{{Name: r.events, DeadLetters: r.dlq}}, r.group)
}

// allow adds an ACL that allows a principal an operation; it takes effect after a moment.
func (r *rig) allow(principal string, kind kafka.ResourceType, name string, operation kafka.ACLOperationType) {
	r.t.Helper()
	answer, err := r.client.CreateACLs(bounded(r.t), &kafka.CreateACLsRequest{ACLs: []kafka.ACLEntry{{
		ResourceType: kind, ResourceName: name, ResourcePatternType: kafka.PatternTypeLiteral,
		Principal: principal, Host: "*", Operation: operation, PermissionType: kafka.ACLPermissionTypeAllow,
	}}})
	require.NoError(r.t, err)
	for _, err := range answer.Errors {
		require.NoError(r.t, err)
	}
}

// allowAll allows a principal what Tenure needs according to docs/kafka.md.
func (r *rig) allowAll(principal string) {
	r.t.Helper()
	r.allow(principal, kafka.ResourceTypeTopic, r.events, kafka.ACLOperationTypeRead)
	r.allow(principal, kafka.ResourceTypeTopic, r.dlq, kafka.ACLOperationTypeWrite)
	r.allow(principal, kafka.ResourceTypeGroup, r.group, kafka.ACLOperationTypeRead)
}

func TestGuardedBroker(t *testing.T) {
	g := newGuarded(t)
	clientCertificate, clientKey, _ := g.ours.Issue("tenure", time.Now().Add(time.Hour))
	strangerCertificate, strangerKey, _ := g.theirs.Issue("tenure", time.Now().Add(time.Hour))
	ways := []struct {
		name, principal string
		cluster         broker.Cluster
	}{
		{"PLAIN over TLS", "User:plain", broker.Cluster{
			Brokers: g.Addresses(passwords), TLS: g.tls(), SASL: signInAs(t, "PLAIN", "plain", "secret"),
		}},
		{"SCRAM-SHA-256 over TLS", "User:scram256", broker.Cluster{
			Brokers: g.Addresses(passwords), TLS: g.tls(), SASL: signInAs(t, "SCRAM-SHA-256", "scram256", "secret"),
		}},
		{"SCRAM-SHA-512 over TLS", "User:scram512", broker.Cluster{
			Brokers: g.Addresses(passwords), TLS: g.tls(), SASL: signInAs(t, "SCRAM-SHA-512", "scram512", "secret"),
		}},
		{"SCRAM-SHA-512 without TLS", "User:scram512", broker.Cluster{
			Brokers: g.Addresses(readable), SASL: signInAs(t, "SCRAM-SHA-512", "scram512", "secret"),
		}},
		{"PLAIN without TLS, on loopback", "User:plain", broker.Cluster{
			Brokers: g.Addresses(readable), SASL: signInAs(t, "PLAIN", "plain", "secret"),
		}},
		{"a certificate", "User:CN=tenure", broker.Cluster{
			Brokers: g.Addresses(certificates), TLS: &broker.TLS{CA: g.ours.File, Certificate: clientCertificate, Key: clientKey},
		}},
	}
	for _, way := range ways {
		t.Run("consume by "+way.name, func(t *testing.T) {
			r := g.rig(t)
			r.allowAll(way.principal)
			r.eventually(func() bool { return len(do(r.probe(way.cluster))) == 0 }, "all is there")
			report := r.probe(way.cluster)
			assert.True(t, report.Reached)
			assert.Contains(t, report.Identity, way.principal)

			r.publish(notes(5, "1", "2", "3")...)
			r.publish(broker.Message{Key: "4", Value: []byte("no note")})
			r.run(func(o *Options) { o.Cluster = way.cluster })
			r.awaitAllCommitted()
			assert.Len(t, r.intake.ids(""), 15)
			assert.EqualValues(t, 1, r.letterCount())
		})
	}

	t.Run("missing permissions are named", func(t *testing.T) {
		r, c := g.rig(t), ways[2].cluster
		acls := func(operation, resource string) string {
			return fmt.Sprintf(`kafka-acls.sh --bootstrap-server %s --add --allow-principal "User:scram512" --operation %s %s`, c.Brokers[0], operation, resource)
		}
		readEvents, writeLetters := acls("Read", "--topic "+r.events), acls("Write", "--topic "+r.dlq)
		join := acls("Read", "--group "+r.group)
		assert.Equal(t, []string{readEvents, writeLetters, join}, do(r.probe(c)))

		// With half of the permissions the topic is visible, and cannot be used.
		r.allow("User:scram512", kafka.ResourceTypeTopic, r.events, kafka.ACLOperationTypeDescribe)
		r.allow("User:scram512", kafka.ResourceTypeTopic, r.dlq, kafka.ACLOperationTypeRead)
		r.allow("User:scram512", kafka.ResourceTypeGroup, r.group, kafka.ACLOperationTypeDescribe)
		r.eventually(func() bool { return strings.Contains(fmt.Sprint(r.probe(c)), "it has 2 partitions, but User:scram512") }, "it is seen")
		assert.Equal(t, []string{readEvents, writeLetters, join}, do(r.probe(c)))

		// The consumer waits, and says why.
		r.run(func(o *Options) { o.Cluster = c })
		r.eventually(func() bool { return r.says("lacks a permission; tenure config check --connect says which") }, "it says so")
		r.publish(notes(1, "1")...)
		r.allowAll("User:scram512")
		r.awaitAllCommitted()
		assert.Len(t, r.intake.ids(""), 1)
	})

	t.Run("missing topics are named", func(t *testing.T) {
		r := newBareRig(t, g.Brokers()...)
		r.connect()
		r.events, r.dlq = "no.such", "no.such.dlq"
		owner := broker.Cluster{Brokers: g.Brokers()}
		at := "kafka-topics.sh --bootstrap-server " + owner.Brokers[0] + " --create --topic "
		assert.Equal(t, []string{
			at + "no.such --partitions 6 --replication-factor 3", at + "no.such.dlq --partitions 1 --replication-factor 3",
		}, do(r.probe(owner)))
	})

	refusals := []struct {
		name    string
		cluster broker.Cluster
		want    string
	}{
		{"wrong password", broker.Cluster{Brokers: g.Addresses(passwords), TLS: g.tls(), SASL: signInAs(t, "SCRAM-SHA-512", "scram512", "wrong")},
			"the broker refuses to sign in User:scram512 (SCRAM-SHA-512): check username and password in kafka.sasl"},
		{"wrong PLAIN password", broker.Cluster{Brokers: g.Addresses(passwords), TLS: g.tls(), SASL: signInAs(t, "PLAIN", "plain", "wrong")},
			"the broker refuses to sign in User:plain (PLAIN)"},
		{"user of another mechanism", broker.Cluster{Brokers: g.Addresses(passwords), TLS: g.tls(), SASL: signInAs(t, "SCRAM-SHA-256", "scram512", "secret")},
			"that the user exists for this mechanism"},
		{"wrong authority", broker.Cluster{Brokers: g.Addresses(passwords), TLS: &broker.TLS{CA: g.theirs.File}, SASL: signInAs(t, "PLAIN", "plain", "secret")},
			"name the authority in kafka.tls.ca"},
		{"certificate of a stranger", broker.Cluster{Brokers: g.Addresses(certificates), TLS: &broker.TLS{CA: g.ours.File, Certificate: strangerCertificate, Key: strangerKey}},
			"the broker refuses the certificate to sign in with, or wants one"},
		{"no certificate", broker.Cluster{Brokers: g.Addresses(certificates), TLS: g.tls()},
			"the broker refuses the certificate to sign in with, or wants one"},
		{"nobody signs in", broker.Cluster{Brokers: g.Addresses(passwords), TLS: g.tls()},
			"its port may want somebody to sign in (kafka.sasl)"},
		{"no TLS", broker.Cluster{Brokers: g.Addresses(passwords), SASL: signInAs(t, "PLAIN", "plain", "secret")},
			"its port may want TLS (kafka.tls)"},
		{"TLS where there is none", broker.Cluster{Brokers: g.Addresses(readable), TLS: g.tls(), SASL: signInAs(t, "PLAIN", "plain", "secret")},
			"the broker's port does not speak TLS"},
		{"SASL where there is none", broker.Cluster{Brokers: g.Brokers(), SASL: signInAs(t, "PLAIN", "plain", "secret")},
			"the broker does not expect anybody to sign in at this port"},
	}
	for _, refusal := range refusals {
		t.Run("refused: "+refusal.name, func(t *testing.T) {
			r := newBareRig(t, g.Brokers()...)
			report := r.probe(refusal.cluster)
			assert.False(t, report.Reached)
			assert.Contains(t, report.Problem, refusal.want)
			assert.Empty(t, report.Findings)
		})
	}

	t.Run("the consumer waits for a new password", func(t *testing.T) {
		r := g.rig(t)
		r.allowAll("User:scram512")
		r.publish(notes(1, "1")...)
		file := filepath.Join(t.TempDir(), "password")
		require.NoError(t, os.WriteFile(file, []byte("wrong"), 0o600))
		s, err := broker.NewSASL("SCRAM-SHA-512", func() (broker.Credentials, error) {
			password, err := os.ReadFile(file)
			return broker.Credentials{Username: "scram512", Password: string(password)}, err
		})
		require.NoError(t, err)
		c, _ := r.run(func(o *Options) { o.Cluster = broker.Cluster{Brokers: g.Addresses(passwords), TLS: g.tls(), SASL: s} })
		r.eventually(func() bool { return r.says("the broker refuses to sign in User:scram512") }, "it says so")
		require.Error(t, c.Ready(context.Background()))
		require.NoError(t, os.WriteFile(file, []byte("secret"), 0o600))
		r.awaitAllCommitted()
		assert.Len(t, r.intake.ids(""), 1)
	})
}

// do lists what has to be done according to a report.
func do(r checkup.Report) []string {
	var commands []string
	for _, f := range r.Findings {
		if f.Verdict == checkup.Missing || f.Verdict == checkup.Unknown {
			commands = append(commands, f.Do)
		}
	}
	if !r.Reached {
		commands = append(commands, r.Problem)
	}
	return commands
}

// says reports whether the consumer has logged an error with the text.
func (r *rig) says(text string) bool {
	for _, entry := range r.logs.All() {
		if strings.Contains(fmt.Sprint(entry.ContextMap()["error"]), text) {
			return true
		}
	}
	return false
}
