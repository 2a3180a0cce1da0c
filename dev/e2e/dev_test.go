package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector/scim/scimtest"
	"github.com/tenurehq/tenure/dev/company"
	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
)

// patience bounds the wait for something that takes a while on a busy machine.
const patience = time.Minute

// TestDevGoesOnWhereItEnded runs a company in `dev dev`, ends it by Ctrl-C, starts it
// again, kills it, and starts it once more. Each time everything is as it was, and goes
// on from there.
func TestDevGoesOnWhereItEnded(t *testing.T) {
	data := t.TempDir()
	opts := company.Turbulent(4, 30)
	opts.Pace = 2
	opts.Start = hr.Date{Year: 2020, Month: time.January, Day: 1}
	history := company.Generate(opts)
	half := len(history.Events) / 2
	employed := activeNow(history)

	d := startDev(t, data)
	send(t, d.address("Kafka"), history.Events[:half])
	require.Eventually(t, func() bool { return len(d.activeIn(t, "directory")) > 0 }, patience, 10*time.Millisecond)
	require.Zero(t, d.ctrlC(t), "in the middle of it")
	assert.NotContains(t, d.out.String(), "starting it again", "who was told to stop did not die")

	d = startDev(t, data)
	send(t, d.address("Kafka"), history.Events[half:])
	d.awaitActive(t, employed)
	for _, app := range stack.DemoApps(0) { // the demo apps write with a delay
		require.Eventually(t, func() bool { return slices.Equal(d.activeIn(t, app.Name), savedIn(t, data, app.Name)) },
			patience, 100*time.Millisecond)
	}
	d.kill(t)

	d = startDev(t, data)
	assert.Equal(t, employed, d.activeIn(t, "directory"))
	gone := employed[0]
	send(t, d.address("Kafka"), []hr.Event{{
		EventKey: hr.EventKey{Source: "/test", ID: "dismissed"}, Type: hr.EventTerminated, PersonID: gone,
		Recorded: time.Now().UTC(), Effective: hr.DateOf(time.Now()), Termination: &hr.Termination{Urgency: hr.UrgencyImmediate},
	}})
	d.awaitActive(t, employed[1:])
	require.Zero(t, d.ctrlC(t))
}

// TestSecondCtrlCEndsDevAtOnce presses Ctrl-C again while the parts are being stopped.
func TestSecondCtrlCEndsDevAtOnce(t *testing.T) {
	d := startDev(t, t.TempDir())
	group := -d.command.Process.Pid
	require.NoError(t, syscall.Kill(group, syscall.SIGINT))
	require.Eventually(t, func() bool { return strings.Contains(d.out.String(), "stopping") }, patience, time.Millisecond)
	require.NoError(t, syscall.Kill(group, syscall.SIGINT))
	_ = d.command.Wait()
	assert.Equal(t, "signal: interrupt", d.command.ProcessState.String())
	require.Eventually(t, func() bool { return errors.Is(syscall.Kill(group, 0), syscall.ESRCH) },
		patience, 10*time.Millisecond, "nobody of the group is left")
}

func TestDevRefuses(t *testing.T) {
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())

	tests := map[string]struct {
		args []string
		code int
		want string
	}{
		"unknown flag":     {[]string{"--no-worries"}, 2, "unknown flag: --no-worries"},
		"no program":       {[]string{"--bin", "nowhere"}, 2, "there is no worker in nowhere: `make build` makes it"},
		"no data":          {[]string{"--data", ""}, 2, "--data needs a directory"},
		"no configuration": {[]string{"--config", "nowhere.yaml"}, 1, "nowhere.yaml: no such file"},
		"port in use": {
			[]string{"--temporal-port", port}, 1,
			"port " + port + ", wanted for Temporal, is in use: stop what uses it, or choose another port with --temporal-port",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			args := slices.Concat([]string{"dev", "--bin", binaries, "--data", t.TempDir()}, anyPorts(), tc.args)
			said, err := exec.Command(filepath.Join(binaries, "dev"), args...).CombinedOutput()
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit)
			assert.Equal(t, tc.code, exit.ExitCode())
			assert.Contains(t, string(said), tc.want)
			assert.Equal(t, 1, strings.Count(string(said), "\n"), "one line says it: %s", said)
		})
	}
}

// dev is a running `dev dev`.
type dev struct {
	command *exec.Cmd
	out     output
}

// startDev runs `dev dev` on a directory, in a process group of its own as in a
// terminal, and returns when it has said that it is ready.
func startDev(t *testing.T, data string) *dev {
	t.Helper()
	d := &dev{command: exec.Command(filepath.Join(binaries, "dev"),
		append([]string{"dev", "--bin", binaries, "--data", data}, anyPorts()...)...)}
	d.command.Stdout, d.command.Stderr = &d.out, &d.out
	d.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, d.command.Start())
	t.Cleanup(func() { _ = syscall.Kill(-d.command.Process.Pid, syscall.SIGKILL) })
	require.Eventually(t, func() bool { return strings.HasSuffix(d.out.String(), "\nready\n") },
		patience, 50*time.Millisecond, "it says: %s", &d.out)
	return d
}

func anyPorts() []string {
	flags := []string{
		stack.FlagTemporalPort, stack.FlagUIPort, stack.FlagKafkaPort,
		stack.FlagWorkerMetricsPort, stack.FlagStarterMetricsPort,
	}
	for _, app := range stack.DemoApps(0) {
		flags = append(flags, stack.FlagAppPort(app.Name))
	}
	var args []string
	for _, flag := range flags {
		args = append(args, "--"+flag, "0")
	}
	return args
}

// ctrlC sends the signal of Ctrl-C to the whole process group, as a terminal does, and
// returns the exit code.
func (d *dev) ctrlC(t *testing.T) int {
	t.Helper()
	require.NoError(t, syscall.Kill(-d.command.Process.Pid, syscall.SIGINT))
	_ = d.command.Wait()
	require.ErrorIs(t, syscall.Kill(-d.command.Process.Pid, 0), syscall.ESRCH, "nobody of the group is left")
	return d.command.ProcessState.ExitCode()
}

// kill ends it as a crash would, and returns when its children are gone too.
func (d *dev) kill(t *testing.T) {
	t.Helper()
	starter := d.address("starter")
	require.NoError(t, d.command.Process.Kill())
	_ = d.command.Wait()
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", starter)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, patience, 50*time.Millisecond, "the starter outlives what started it")
}

// address returns the host:port of a part from the table that was printed.
func (d *dev) address(what string) string {
	line := regexp.MustCompile(`(?m)^ *` + what + ` +(?:http://)?(127\.0\.0\.1:\d+)`).FindStringSubmatch(d.out.String())
	if line == nil {
		return ""
	}
	return line[1]
}

// activeIn asks an app for its enabled accounts, and returns their person IDs.
func (d *dev) activeIn(t *testing.T, app string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	url := "http://" + d.address("app "+app) + "/scim/v2/Users?filter=active+eq+true&count=1000"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+stack.Token)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	var list struct {
		Resources []struct {
			ExternalID string `json:"externalId"`
		}
	}
	require.NoError(t, json.NewDecoder(response.Body).Decode(&list))
	var people []string
	for _, user := range list.Resources {
		people = append(people, user.ExternalID)
	}
	slices.Sort(people)
	return people
}

// awaitActive returns when exactly these people have enabled accounts in the apps that
// everybody gets.
func (d *dev) awaitActive(t *testing.T, people []string) {
	t.Helper()
	for _, app := range []string{"directory", "chat"} {
		var active []string
		if !assert.Eventually(t, func() bool {
			active = d.activeIn(t, app)
			return slices.Equal(people, active)
		}, patience, 100*time.Millisecond) {
			require.Equal(t, people, active, app)
		}
	}
}

// savedIn returns the people with enabled accounts in an app's file.
func savedIn(t *testing.T, data, app string) []string {
	t.Helper()
	state, err := os.ReadFile(filepath.Join(data, "apps", app+".json"))
	require.NoError(t, err)
	copied := filepath.Join(t.TempDir(), app+".json")
	require.NoError(t, os.WriteFile(copied, state, 0o600))
	service, err := scimtest.New(scimtest.Options{File: copied})
	require.NoError(t, err)
	defer service.Close()
	var people []string
	for _, user := range service.Users() {
		if user.Active {
			people = append(people, user.ExternalID)
		}
	}
	slices.Sort(people)
	return people
}

// activeNow returns the IDs of the people who should have access now.
func activeNow(h *company.History) []string {
	var people []string
	for _, x := range h.Expected(time.Now()) {
		if x.Status == hr.StatusActive {
			people = append(people, x.PersonID)
		}
	}
	return people
}

// send publishes events as the product's own command does.
func send(t *testing.T, broker string, events []hr.Event) {
	t.Helper()
	writer := &kafka.Writer{Addr: kafka.TCP(broker), Topic: stack.TopicEvents, Balancer: &kafka.Hash{}, BatchTimeout: time.Millisecond}
	defer writer.Close()
	for _, event := range events {
		value, err := cloudevents.Encode(event)
		require.NoError(t, err)
		require.NoError(t, writer.WriteMessages(t.Context(), kafka.Message{
			Key: []byte(event.PersonID), Value: value,
			Headers: []kafka.Header{{Key: "content-type", Value: []byte("application/cloudevents+json")}},
		}), fmt.Sprint(event.EventKey))
	}
}

// output holds what was printed; it can be read while the command runs.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
