package topology

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/tenurehq/tenure/dev/process"
	"github.com/tenurehq/tenure/service/runs"
)

// makeCredentials makes an authority, the certificates of the servers and of Tenure,
// and the key that API keys are signed with.
func (t *Topology) makeCredentials() (err error) {
	if t.certs, err = newCertificates(filepath.Join(t.dir, "certificates")); err != nil {
		return err
	}
	for _, name := range []string{"kafka", "temporal", "tenure"} {
		if _, err := t.certs.issue(name); err != nil {
			return err
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: key.Public(), KeyID: "tests", Algorithm: string(jose.ES256), Use: "sig"},
	}})
	if err != nil {
		return err
	}
	if err := os.WriteFile(t.keySet(), set, 0o600); err != nil {
		return err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "tests"}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return err
	}
	for key, permission := range map[*string]string{&t.apiKey: t.opts.Namespace + ":write", &t.administratorKey: "temporal-system:admin"} {
		claims, err := json.Marshal(map[string]any{
			"sub": "tenure", "exp": time.Now().Add(12 * time.Hour).Unix(), "permissions": []string{permission},
		})
		if err != nil {
			return err
		}
		signed, err := signer.Sign(claims)
		if err != nil {
			return err
		}
		if *key, err = signed.CompactSerialize(); err != nil {
			return err
		}
	}
	return nil
}

func (t *Topology) keySet() string { return filepath.Join(t.certs.dir, "keys.json") }

// startTemporal makes Temporal's databases, as docker-compose.yml does, and runs the
// server: all its services in one process.
func (t *Topology) startTemporal(ctx context.Context) error {
	bin, err := filepath.Abs(t.opts.Bin)
	if err != nil {
		return err
	}
	// Twice: the caller that starts it again does so too.
	for range 2 {
		schema := exec.CommandContext(ctx, "/bin/sh", filepath.Join(t.opts.Root, "deploy/temporal/schema"))
		schema.Env = []string{
			"PATH=" + bin + ":" + os.Getenv("PATH"),
			"SQL_HOST=" + loopback, "SQL_PORT=" + strconv.Itoa(t.ports["postgresql"]), "SQL_USER=postgres", "SQL_PASSWORD=" + t.postgresPassword,
		}
		if said, err := schema.CombinedOutput(); err != nil {
			return fmt.Errorf("deploy/temporal/schema: %w\n%s", err, said)
		}
	}
	dynamic, err := filepath.Abs(filepath.Join(t.opts.Root, "deploy/temporal/dynamic.yaml"))
	if err != nil {
		return err
	}
	env := []string{
		"DB=postgres12", "DB_PORT=" + strconv.Itoa(t.ports["postgresql"]), "POSTGRES_SEEDS=" + loopback,
		"POSTGRES_USER=postgres", "POSTGRES_PWD=" + t.postgresPassword,
		"NUM_HISTORY_SHARDS=512", "BIND_ON_IP=" + loopback, "TEMPORAL_BROADCAST_ADDRESS=" + loopback, "DYNAMIC_CONFIG_FILE_PATH=" + dynamic, "LOG_LEVEL=warn",
		"PROMETHEUS_ENDPOINT=" + t.ports.address("temporal-metrics"),
	}
	for variable, port := range map[string]string{
		"FRONTEND_GRPC": "temporal", "FRONTEND_HTTP": "temporal-http", "FRONTEND_MEMBERSHIP": "temporal-membership",
		"INTERNAL_FRONTEND_GRPC": "internal", "INTERNAL_FRONTEND_HTTP": "internal-http", "INTERNAL_FRONTEND_MEMBERSHIP": "internal-membership",
		"HISTORY_GRPC": "history", "HISTORY_MEMBERSHIP": "history-membership",
		"MATCHING_GRPC": "matching", "MATCHING_MEMBERSHIP": "matching-membership",
		"WORKER_GRPC": "system", "WORKER_MEMBERSHIP": "system-membership",
	} {
		env = append(env, variable+"_PORT="+strconv.Itoa(t.ports[port]))
	}
	args := []string{"--allow-no-auth", "start"}
	if t.opts.Secure {
		args = []string{"start"}
		env = append(env,
			"USE_INTERNAL_FRONTEND=true", "TEMPORAL_SERVICES=frontend,internal-frontend,history,matching,worker",
			"TEMPORAL_TLS_REQUIRE_CLIENT_AUTH=true",
			"TEMPORAL_TLS_FRONTEND_CERT="+filepath.Join(t.certs.dir, "temporal.crt"),
			"TEMPORAL_TLS_FRONTEND_KEY="+filepath.Join(t.certs.dir, "temporal.key"),
			"TEMPORAL_TLS_CLIENT1_CA_CERT="+t.certs.ca(),
			"TEMPORAL_TLS_CLIENT2_CA_CERT="+t.certs.ca(),
			"TEMPORAL_AUTH_AUTHORIZER=default", "TEMPORAL_AUTH_CLAIM_MAPPER=default",
			"TEMPORAL_JWT_KEY_SOURCE1=file://"+t.keySet(),
		)
	}
	return t.run(ctx, process.Options{
		Name: "temporal", Path: filepath.Join(t.opts.Bin, "temporal-server"), Args: args, Env: env, Grace: 30 * time.Second,
		Ready: func(ctx context.Context) error {
			c, err := t.Temporal(ctx)
			if err != nil {
				return err
			}
			c.Close()
			return nil
		},
	})
}

// TemporalAddress returns the address of the frontend.
func (t *Topology) TemporalAddress() string { return t.ports.address("temporal") }

// Temporal connects to the frontend, with Tenure's credentials.
func (t *Topology) Temporal(ctx context.Context) (client.Client, error) {
	return t.temporalAs(ctx, t.apiKey)
}

func (t *Topology) temporalAs(ctx context.Context, apiKey string) (client.Client, error) {
	opts := client.Options{
		HostPort: t.ports.address("temporal"), Namespace: t.opts.Namespace,
		Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	}
	if t.opts.Secure {
		pair, err := tls.LoadX509KeyPair(filepath.Join(t.certs.dir, "tenure.crt"), filepath.Join(t.certs.dir, "tenure.key"))
		if err != nil {
			return nil, err
		}
		pool, err := authorities(t.certs.ca())
		if err != nil {
			return nil, err
		}
		opts.ConnectionOptions.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: pool, MinVersion: tls.VersionTLS12}
		opts.Credentials = client.NewAPIKeyStaticCredentials(apiKey)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return client.DialContext(ctx, opts)
}

// makeNamespace makes Temporal's namespace, and returns when the server knows it.
func (t *Topology) makeNamespace(ctx context.Context) error {
	return process.Await(ctx, func(ctx context.Context) error {
		c, err := t.temporalAs(ctx, t.administratorKey)
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.WorkflowService().RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
			Namespace: t.opts.Namespace, WorkflowExecutionRetentionPeriod: durationpb.New(30 * 24 * time.Hour),
		})
		if _, there := err.(*serviceerror.NamespaceAlreadyExists); err != nil && !there { //nolint:errorlint // the client returns it unwrapped
			return err
		}
		if _, err = c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: t.opts.Namespace}); err != nil || !t.opts.Secure {
			return err
		}
		// Tenure may only write: it cannot add what it needs itself.
		return runs.New(c, t.opts.Namespace).RegisterAttributes(ctx)
	})
}

// Env is an environment in which Tenure's programs find this topology's Temporal
// and nobody else's.
func (t *Topology) Env() []string {
	env := []string{
		"TEMPORAL_ADDRESS=" + t.ports.address("temporal"),
		"TEMPORAL_NAMESPACE=" + t.opts.Namespace,
		"TEMPORAL_CONFIG_FILE=" + os.DevNull,
	}
	env = append(env, t.secrets()...)
	if t.opts.Secure {
		env = append(env,
			"TEMPORAL_API_KEY="+t.apiKey,
			"TEMPORAL_TLS=true",
			"TEMPORAL_TLS_SERVER_CA_CERT_PATH="+t.certs.ca(),
			"TEMPORAL_TLS_CLIENT_CERT_PATH="+filepath.Join(t.certs.dir, "tenure.crt"),
			"TEMPORAL_TLS_CLIENT_KEY_PATH="+filepath.Join(t.certs.dir, "tenure.key"),
		)
	}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "TEMPORAL_") {
			env = append(env, variable)
		}
	}
	return env
}

// secrets are the variables to which the configuration's secrets refer.
func (t *Topology) secrets() []string {
	return []string{"DIRECTORY_PASSWORD=" + t.ldapPassword, "WIKI_TOKEN=" + t.scimToken, "DATABASE_PASSWORD=" + t.postgresPassword}
}
