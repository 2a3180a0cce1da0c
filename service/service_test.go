package service

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime/debug"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tenurehq/tenure/internal/visible"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestExecuteExitCodes(t *testing.T) {
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for name, tc := range map[string]struct {
		stop   bool
		args   []string
		err    error
		code   int
		stdout string
		stderr string
		ran    bool
	}{
		"done":               {ran: true, code: ExitDone, stderr: `"message":"stopped"`},
		"failed":             {ran: true, err: errors.New("no ledger"), code: ExitFailed, stderr: `"error":"no ledger"`},
		"configuration":      {ran: true, err: UsageError(errors.New("tenure.yaml:3: unknown key")), code: ExitUsage, stderr: "\ntenure.yaml:3: unknown key\n"},
		"wrapped usage":      {ran: true, err: fmt.Errorf("x: %w", UsageError(errors.New("y"))), code: ExitUsage, stderr: "\nx: y\n"},
		"stopped by signal":  {stop: true, ran: true, err: context.Canceled, code: ExitDone, stderr: `"message":"stopped"`},
		"failed after stop":  {stop: true, ran: true, err: errors.New("commit lost"), code: ExitFailed, stderr: "commit lost"},
		"cancelled unasked":  {ran: true, err: context.Canceled, code: ExitFailed, stderr: "context canceled"},
		"unknown flag":       {args: []string{"--nope"}, code: ExitUsage, stderr: "not defined: -nope"},
		"argument":           {args: []string{"extra"}, code: ExitUsage, stderr: `unexpected argument "extra"`},
		"bad level":          {args: []string{"--log-level", "loud"}, code: ExitUsage, stderr: "loud"},
		"help":               {args: []string{"--help"}, code: ExitDone, stderr: "Does things.\n\nUsage: thing [flags]"},
		"version":            {args: []string{"--version"}, code: ExitDone, stdout: "thing " + Version() + "\n"},
		"flags reach run":    {args: []string{"--config", "x.yaml"}, ran: true, code: ExitDone, stderr: `"config":"x.yaml"`},
		"level keeps silent": {args: []string{"--log-level", "error"}, ran: true, code: ExitDone},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			if tc.stop {
				ctx = stopped
			}
			var stdout, stderr bytes.Buffer
			ran := false
			code := execute(ctx, "thing", "Does things.", tc.args, &stdout, &stderr,
				func(context.Context, *Process) error { ran = true; return tc.err })
			assert.Equal(t, tc.code, code)
			assert.Equal(t, tc.ran, ran)
			assert.Equal(t, tc.stdout, stdout.String())
			if tc.stderr == "" {
				assert.Empty(t, stderr.String())
			}
			assert.Contains(t, stderr.String(), tc.stderr)
		})
	}
	assert.NoError(t, UsageError(nil))
}

func TestAProcessMayHaveFlagsOfItsOwn(t *testing.T) {
	var stdout, stderr bytes.Buffer
	var own string
	code := execute(t.Context(), "thing", "Does things.", []string{"--own", "x"}, &stdout, &stderr,
		func(context.Context, *Process) error { return nil },
		func(flags *flag.FlagSet) { flags.StringVar(&own, "own", "", "its own") })
	assert.Equal(t, ExitDone, code)
	assert.Equal(t, "x", own)
}

func TestConfigPathComesFromTheEnvironment(t *testing.T) {
	t.Setenv("TENURE_CONFIG", "")
	assert.Equal(t, "tenure.yaml", DefaultConfigPath())
	t.Setenv("TENURE_CONFIG", "/etc/tenure.yaml")
	assert.Equal(t, "/etc/tenure.yaml", DefaultConfigPath())
}

func TestLoggerWritesOneJSONObjectPerLine(t *testing.T) {
	var out bytes.Buffer
	log := NewLogger(&out, zapcore.InfoLevel)
	log.Debug("hidden")
	TemporalLogger(log).Info("from the SDK", "WorkflowID", "person:1")

	var line map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &line))
	assert.Equal(t, "from the SDK", line["message"])
	assert.Equal(t, "person:1", line["WorkflowID"])
	at, err := time.Parse(time.RFC3339, line["time"].(string))
	require.NoError(t, err)
	assert.True(t, strings.HasSuffix(line["time"].(string), "Z"), "times are in UTC")
	assert.WithinDuration(t, time.Now(), at, time.Minute)
}

func TestLogsHoldNothingThatAConsoleObeys(t *testing.T) {
	const hostile = "wiki\x1b[2J\u009b31m\u202eevil\r\x7f\U000e0041"
	var out bytes.Buffer
	log := NewLogger(&out, zapcore.InfoLevel)
	log.Info(hostile, zap.String(hostile, hostile), zap.Strings("list", []string{hostile}), zap.Error(errors.New(hostile)))
	shown := strings.TrimSuffix(out.String(), "\n")
	assert.Equal(t, -1, strings.IndexFunc(shown, func(r rune) bool { return !visible.Rune(r) }), "%q", shown)
	var line map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &line))
	assert.Equal(t, hostile, line["message"], "and says the same")
	assert.Equal(t, hostile, line[hostile])
}

func TestVersionOf(t *testing.T) {
	assert.NotEmpty(t, Version())
	assert.Equal(t, "v1.2.3", versionOf(&debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}))
	assert.Equal(t, "devel", versionOf(&debug.BuildInfo{}))
	assert.Equal(t, "devel-0123456789ab-dirty", versionOf(&debug.BuildInfo{Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123456789abcdef"}, {Key: "vcs.modified", Value: "true"},
	}}))
}

func TestServeHTTP(t *testing.T) {
	var ledgerErr, wedged error
	h, err := ServeHTTP("127.0.0.1:0", zap.NewNop(), NewRegistry("thing"), Checks{
		Alive: map[string]Check{"loop": func(context.Context) error { return wedged }},
		Ready: map[string]Check{
			"ledger":   func(context.Context) error { return ledgerErr },
			"temporal": func(context.Context) error { return nil },
		},
	})
	require.NoError(t, err)
	get := func(path string) (int, string) {
		resp, err := http.Get("http://" + h.Addr() + path)
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(body)
	}
	defer http.DefaultClient.CloseIdleConnections()

	code, body := get("/healthz")
	assert.Equal(t, 200, code)
	assert.JSONEq(t, `{"loop":"ok"}`, body)
	wedged = errors.New("it does not move")
	code, body = get("/healthz")
	assert.Equal(t, 503, code)
	assert.JSONEq(t, `{"loop":"it does not move"}`, body)
	code, body = get("/metrics")
	assert.Equal(t, 200, code)
	assert.Contains(t, body, `tenure_build_info{process="thing"`)

	code, body = get("/readyz")
	assert.Equal(t, 200, code)
	assert.JSONEq(t, `{"ledger":"ok","temporal":"ok"}`, body)
	ledgerErr = errors.New("disk full")
	code, body = get("/readyz")
	assert.Equal(t, 503, code)
	assert.JSONEq(t, `{"ledger":"disk full","temporal":"ok"}`, body)

	_, err = ServeHTTP(h.Addr(), zap.NewNop(), NewRegistry("other"), Checks{})
	require.ErrorContains(t, err, h.Addr())
	require.ErrorContains(t, err, "is another process using the port?")

	require.NoError(t, h.Close())
	_, err = net.Dial("tcp", h.Addr())
	require.Error(t, err, "closed")
}

func TestAProbeAnswersWhateverHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hanging := make(chan struct{})
		defer close(hanging)
		answer := httptest.NewRecorder()
		probe(map[string]Check{
			"hangs": func(context.Context) error { <-hanging; return nil },
			"works": func(context.Context) error { return nil },
		}).ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", nil))
		assert.Equal(t, 503, answer.Code)
		assert.JSONEq(t, `{"hangs":"no answer within 5s","works":"ok"}`, answer.Body.String())
	})
}

func TestLaterFailsUntilItIsSet(t *testing.T) {
	var l Later
	require.ErrorContains(t, l.Check(t.Context()), "not connected yet")
	l.Set(func(context.Context) error { return io.EOF })
	require.ErrorIs(t, l.Check(t.Context()), io.EOF)
	l.Set(func(context.Context) error { return nil })
	require.NoError(t, l.Check(t.Context()))
	assert.NoError(t, (&Later{Meanwhile: true}).Check(t.Context()))
}

func TestServeHTTPWithoutAddressServesNothing(t *testing.T) {
	h, err := ServeHTTP("", zap.NewNop(), NewRegistry("thing"), Checks{})
	require.NoError(t, err)
	assert.Empty(t, h.Addr())
	assert.NoError(t, h.Close())
}

func TestTemporalOptionsDefaults(t *testing.T) {
	noTemporalSettings(t)
	opts, err := TemporalOptions(zap.NewNop())
	require.NoError(t, err)
	assert.Equal(t, client.DefaultHostPort, opts.HostPort)
	assert.Equal(t, client.DefaultNamespace, opts.Namespace)

	t.Setenv("TEMPORAL_ADDRESS", "temporal.example.com:7233")
	t.Setenv("TEMPORAL_NAMESPACE", "hr")
	opts, err = TemporalOptions(zap.NewNop())
	require.NoError(t, err)
	assert.Equal(t, "temporal.example.com:7233", opts.HostPort)
	assert.Equal(t, "hr", opts.Namespace)
}

func noTemporalSettings(t *testing.T) {
	t.Helper()
	t.Setenv("TEMPORAL_CONFIG_FILE", t.TempDir()+"/none.toml")
	for _, name := range []string{"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "TEMPORAL_PROFILE", "TEMPORAL_API_KEY"} {
		t.Setenv(name, "")
	}
}

func observed() (*zap.Logger, *observer.ObservedLogs) {
	core, logs := observer.New(zapcore.InfoLevel)
	return zap.New(core), logs
}
