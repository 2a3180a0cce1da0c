package stack

import (
	"fmt"
	"io"
	"time"

	"github.com/tenurehq/tenure/config"
)

// Options says what to start. The zero value is an empty stack without apps, worker and
// starter, on ports that the kernel chose, that leaves nothing behind.
type Options struct {
	// DataDir is the directory of all state; it is created if it does not exist. If it is
	// empty, Start uses a temporary one that Close removes, with Temporal and Kafka in
	// memory.
	DataDir string
	Ports   Ports

	// Apps lists the demo apps that the stack's configuration names. The stack serves
	// them unless NoApps is set; then another process does, on the same ports.
	Apps   []App
	NoApps bool

	// ConfigFile replaces the stack's own tenure.yaml, and is used as it is.
	ConfigFile string
	// Template is the template of the stack's own tenure.yaml; empty means
	// DefaultTemplate. See Rendering for the values that it can use.
	Template string
	// Clock makes the product's time pass faster: see config.Development.
	Clock *config.AcceleratedClock

	// WorkerBinary and StarterBinary are the programs to run; empty runs none.
	WorkerBinary, StarterBinary string
	// Args are added to the command line of both.
	Args []string

	// OnRestart, if set, is called with one line when a worker or starter dies by itself;
	// the stack starts it again. If OnRestart is nil, it stays dead until somebody starts
	// it.
	OnRestart func(line string)

	// Log gets the output of starter and worker, with the name of the program before each
	// line. Nil means the files worker.log and starter.log in the data directory.
	Log io.Writer

	// DynamicConfig changes settings of the Temporal server, by their names.
	DynamicConfig map[string]any

	// ReadyTimeout bounds how long each part may take to answer (default 30s).
	ReadyTimeout time.Duration
}

// Ports holds the ports of the parts; 0 means a port that the kernel chooses.
type Ports struct {
	Temporal, UI, Kafka           int
	WorkerMetrics, StarterMetrics int
}

// App is one demo app.
type App struct {
	Name string
	Port int // 0: the kernel chooses
}

// The names of the demo apps.
var appNames = []string{"directory", "chat", "wiki", "crm"}

// DefaultPorts returns the ports of `make dev`.
func DefaultPorts() Ports {
	return Ports{Temporal: 7233, UI: 8233, Kafka: 9092, WorkerMetrics: 9464, StarterMetrics: 9465}
}

// FirstAppPort is the port of the first demo app of `make dev`.
const FirstAppPort = 8081

// DemoApps returns the four demo apps, on consecutive ports from first on or, if first is
// 0, on ports that the kernel chooses.
func DemoApps(first int) []App {
	apps := make([]App, len(appNames))
	for i, name := range appNames {
		apps[i] = App{Name: name}
		if first != 0 {
			apps[i].Port = first + i
		}
	}
	return apps
}

// The flags by which `make dev` lets people choose ports.
const (
	FlagTemporalPort       = "temporal-port"
	FlagUIPort             = "ui-port"
	FlagKafkaPort          = "kafka-port"
	FlagWorkerMetricsPort  = "worker-metrics-port"
	FlagStarterMetricsPort = "starter-metrics-port"
)

// FlagAppPort returns the flag for the port of a demo app.
func FlagAppPort(app string) string { return app + "-port" }

// PortInUseError is the error of a wanted port on which another program listens.
type PortInUseError struct {
	Port int
	For  string // the part that needs the port: "Kafka"
	Flag string // the flag that chooses another port
}

func (e *PortInUseError) Error() string {
	return fmt.Sprintf("port %d, wanted for %s, is in use: stop what uses it, or choose another port with --%s",
		e.Port, e.For, e.Flag)
}
