package stack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	serverconfig "go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/membership/static"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/schema/sqlite"
	"go.temporal.io/server/temporal"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/tenurehq/tenure/dev/process"
)

const (
	// Namespace is the Temporal namespace that everything runs in.
	Namespace = "default"

	temporalCluster = "active"
	// closedRunsKept is how long the server keeps runs that have ended: longer than
	// a demonstration, so that people find what they saw last time.
	closedRunsKept = 90 * 24 * time.Hour
)

// temporalServer is a whole Temporal server in this process.
type temporalServer struct {
	server  temporal.Server
	address string
	log     *serverLog
}

// startTemporal starts a server on a port and returns when it answers for the namespace.
// It logs to dir, and keeps its state there, too, or in memory.
func startTemporal(ctx context.Context, port int, dir string, inMemory bool, settings map[string]any) (*temporalServer, error) {
	logFile, err := openLog(dir, "temporal")
	if err != nil {
		return nil, err
	}
	t := &temporalServer{address: address(port), log: &serverLog{file: logFile}}
	if err := t.start(ctx, port, dir, inMemory, settings); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

func (t *temporalServer) start(ctx context.Context, port int, dir string, inMemory bool, settings map[string]any) error {
	store := memoryStore()
	if !inMemory {
		store = fileStore(dir)
	}
	if err := prepare(store, inMemory); err != nil {
		return fmt.Errorf("prepare Temporal's database: %w", err)
	}
	conf, err := temporalConfig(port, store)
	if err != nil {
		return err
	}
	t.server, err = temporal.NewServer(
		temporal.WithConfig(conf),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(staticHosts(conf)),
		temporal.WithLogger(log.NewZapLogger(zap.New(zapcore.NewCore(
			zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), t.log, zap.WarnLevel)))),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithClaimMapper(func(*serverconfig.Config) authorization.ClaimMapper {
			return authorization.NewNoopClaimMapper()
		}),
		temporal.WithDynamicConfigClient(dynamicConfig(settings)),
	)
	if err != nil {
		return fmt.Errorf("make the Temporal server: %w", err)
	}
	if err := t.server.Start(); err != nil {
		return fmt.Errorf("start the Temporal server: %w", err)
	}
	if err := t.awaitNamespace(ctx); err != nil {
		return fmt.Errorf("reach Temporal on %s: %w", t.address, err)
	}
	return nil
}

// Close stops the server. Everything that it has acknowledged is in its database.
func (t *temporalServer) Close() {
	if t.server != nil {
		_ = t.server.Stop() // it is always nil
	}
	t.log.close()
}

func memoryStore() *serverconfig.SQL {
	return &serverconfig.SQL{
		PluginName:        sqliteplugin.PluginName,
		DatabaseName:      uuid.NewString(), // so that two servers in one process share nothing
		ConnectAttributes: map[string]string{"mode": "memory", "cache": "shared"},
	}
}

func fileStore(dir string) *serverconfig.SQL {
	return &serverconfig.SQL{
		PluginName:   sqliteplugin.PluginName,
		DatabaseName: filepath.Join(dir, "temporal.db"),
		// In WAL mode, "normal" loses nothing when the process dies. If the machine dies,
		// it may lose the last moments.
		ConnectAttributes: map[string]string{"mode": "rwc", "journal_mode": "wal", "synchronous": "normal"},
	}
}

// prepare creates the schema, unless it exists, and the namespace.
func prepare(store *serverconfig.SQL, inMemory bool) error {
	if !inMemory { // in memory, the schema comes with the connection
		_, err := os.Stat(store.DatabaseName)
		if errors.Is(err, fs.ErrNotExist) {
			err = setUpSchema(store)
		}
		if err != nil {
			return err
		}
	}
	namespace, err := sqlite.NewNamespaceConfig(temporalCluster, Namespace, false, nil)
	if err != nil {
		return err
	}
	namespace.Detail.Config.Retention = durationpb.New(closedRunsKept)
	return sqlite.CreateNamespaces(store, namespace)
}

// setUpSchema creates the database under another name first. So a database that was left
// half-finished is made anew, and does not pass for a whole one.
func setUpSchema(store *serverconfig.SQL) error {
	unfinished := *store
	unfinished.DatabaseName += ".new"
	unfinished.ConnectAttributes = map[string]string{"mode": "rwc"} // the database is one file, without a WAL
	if err := os.RemoveAll(unfinished.DatabaseName); err != nil {
		return err
	}
	if err := sqlite.SetupSchema(&unfinished); err != nil {
		return err
	}
	return os.Rename(unfinished.DatabaseName, store.DatabaseName)
}

func temporalConfig(port int, store *serverconfig.SQL) (*serverconfig.Config, error) {
	var conf serverconfig.Config
	conf.Global.Membership.BroadcastAddress = loopback
	conf.Persistence = serverconfig.Persistence{
		DefaultStore:     "sqlite",
		VisibilityStore:  "sqlite",
		NumHistoryShards: 1, // SQLite has one writer anyway
		DataStores:       map[string]serverconfig.DataStore{"sqlite": {SQL: store}},
	}
	conf.ClusterMetadata = &cluster.Config{
		FailoverVersionIncrement: 10,
		MasterClusterName:        temporalCluster,
		CurrentClusterName:       temporalCluster,
		ClusterInformation: map[string]cluster.ClusterInformation{
			temporalCluster: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: address(port)},
		},
	}
	conf.DCRedirectionPolicy.Policy = "noop"
	conf.PublicClient.HostPort = address(port)
	const off = "disabled"
	conf.Archival.History.State, conf.Archival.Visibility.State = off, off
	conf.NamespaceDefaults.Archival.History.State, conf.NamespaceDefaults.Archival.Visibility.State = off, off

	conf.Services = make(map[string]serverconfig.Service)
	for _, name := range temporal.DefaultServices {
		servicePort := port
		if name != string(primitives.FrontendService) {
			claimed, err := claim(0, true, "Temporal", FlagTemporalPort)
			if err != nil {
				return nil, err
			}
			servicePort = claimed
		}
		conf.Services[name] = serverconfig.Service{RPC: serverconfig.RPC{GRPCPort: servicePort, BindOnIP: loopback}}
	}
	return &conf, nil
}

// staticHosts tells the server's services where the others are: they need not
// look for each other in one process.
func staticHosts(conf *serverconfig.Config) map[primitives.ServiceName]static.Hosts {
	hosts := make(map[primitives.ServiceName]static.Hosts, len(conf.Services))
	for name, service := range conf.Services {
		hosts[primitives.ServiceName(name)] = static.SingleLocalHost(address(service.RPC.GRPCPort))
	}
	return hosts
}

// dynamicConfig returns the server's settings. Its defaults protect a cluster that many
// share; here one company at a time uses it.
func dynamicConfig(settings map[string]any) dynamicconfig.StaticClient {
	const plenty = 100_000
	values := dynamicconfig.StaticClient{
		dynamicconfig.FrontendRPS.Key():                                         plenty,
		dynamicconfig.FrontendMaxNamespaceRPSPerInstance.Key():                  plenty,
		dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key():        plenty,
		dynamicconfig.FrontendMaxConcurrentLongRunningRequestsPerInstance.Key(): plenty,
		dynamicconfig.FrontendPersistenceMaxQPS.Key():                           plenty,
		dynamicconfig.HistoryRPS.Key():                                          plenty,
		dynamicconfig.HistoryPersistenceMaxQPS.Key():                            plenty,
		dynamicconfig.MatchingRPS.Key():                                         plenty,
		dynamicconfig.MatchingPersistenceMaxQPS.Key():                           plenty,
		dynamicconfig.VisibilityPersistenceMaxReadQPS.Key():                     plenty,
		dynamicconfig.VisibilityPersistenceMaxWriteQPS.Key():                    plenty,

		// With this, search attributes that the product registers can be used at once.
		dynamicconfig.ForceSearchAttributesCacheRefreshOnRead.Key(): true,
		// With this, tests let 90 days pass in a second, if the start request of a run
		// asks for it.
		dynamicconfig.WorkflowTimeSkippingEnabled.Key(): true,
		// The version check asks a server on the internet.
		dynamicconfig.EnableServerVersionCheck.Key(): false,
	}
	for name, value := range settings {
		values[dynamicconfig.MakeKey(name)] = value
	}
	return values
}

// awaitNamespace returns when the server has described the namespace.
func (t *temporalServer) awaitNamespace(ctx context.Context) error {
	conn, err := grpc.NewClient(t.address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	request := &workflowservice.DescribeNamespaceRequest{Namespace: Namespace}
	return process.Await(ctx, func(ctx context.Context) error {
		_, err := workflowservice.NewWorkflowServiceClient(conn).DescribeNamespace(ctx, request)
		return err
	})
}
