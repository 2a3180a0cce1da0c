package stack

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMain acts as the worker, as the starter, or as a program with a wrong
// configuration, if the program is called by one of these names: see binary.
func TestMain(m *testing.M) {
	switch name := filepath.Base(os.Args[0]); name {
	case "worker", "starter":
		playChild(name)
	case "misconfigured":
		fmt.Fprintln(os.Stderr, "tenure.yaml:3: unknown key")
		os.Exit(2)
	default:
		os.Exit(m.Run())
	}
}

// binary returns the path of a program that acts by its name: see TestMain.
func binary(t *testing.T, name string) string {
	t.Helper()
	this, err := os.Executable()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.Symlink(this, path))
	return path
}

// playChild answers on its metrics address with the address of Temporal that it was
// given, until it is asked to stop.
func playChild(name string) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	config := flag.String("config", "", "")
	flag.Parse()
	declared, err := readDeclared(*config)
	if err != nil {
		panic(err)
	}
	addr := map[string]string{"worker": declared.Metrics.Worker, "starter": declared.Metrics.Starter}[name]
	mux := http.NewServeMux()
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, os.Getenv("TEMPORAL_ADDRESS")) })
	server := &http.Server{Addr: addr, Handler: mux}
	go func() {
		fmt.Println(name, "is up")
		fmt.Println(server.ListenAndServe())
	}()
	<-ctx.Done()
}
