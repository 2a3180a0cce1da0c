//go:build real

package topology

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
	"github.com/tenurehq/tenure/workflows"
)

// patience is how long everything may take to be as it must be, on a busy machine.
const patience = 3 * time.Minute

// TestPeopleJoinMoveAndLeave sends what HR says of three people by the command line
// to what docker-compose.yml describes (nobody signs in there), and looks into every
// app, without any code of the product, after each change.
func TestPeopleJoinMoveAndLeave(t *testing.T) {
	top := start(t, Options{Confined: os.Geteuid() == 0, Decider: "1"}) // only root can make an image

	said, code := top.tenure(t, nil, "config", "check", "--connect")
	require.Zero(t, code, said)
	assert.Contains(t, said, "group tenure: 2 members now", "both starters take part")
	assert.Equal(t, 2, pollers(t, top), "both workers take part")
	said, code = top.tenure(t, nil, "probe", "worker")
	assert.Zero(t, code, said)
	if os.Geteuid() == 0 {
		confined(t, top.Process("worker-1").PID(), top.image())
	}

	first := hr.Date{Year: 2024, Month: time.May, Day: 1}
	somebody := func(given, family, title, department string) hr.Profile {
		return hr.Profile{
			Type: hr.TypeEmployee, GivenName: given, FamilyName: family, JobTitle: title, Department: department,
			Location: hr.Location{TimeZone: "Europe/London"}, StartDate: first,
		}
	}
	ada := somebody("Ada", "Byron", "Engineer", "Development")
	grace := somebody("Grace", "Murray", "Sales Manager", "Sales")
	alan := somebody("Alan", "Mathison", "Analyst", "Research")
	top.send(t,
		hr.Event{Type: hr.EventHired, PersonID: "1", Effective: first, Profile: &ada},
		hr.Event{Type: hr.EventHired, PersonID: "2", Effective: first, Profile: &grace},
		hr.Event{Type: hr.EventHired, PersonID: "3", Effective: first, Profile: &alan})
	top.expect(t, map[string]string{
		"directory/1": "abyron enabled Engineer [engineers staff]",
		"directory/2": "gmurray enabled Sales Manager [staff]",
		"directory/3": "amathison enabled Analyst [engineers staff]",
		"wiki/1":      "abyron enabled Engineer []",
		"wiki/2":      "gmurray enabled Sales Manager [managers]",
		"wiki/3":      "amathison enabled Analyst [researchers]",
		"database/1":  "abyron enabled [app_readers]",
		"database/3":  "amathison enabled [app_readers]",
	})

	moved := ada
	moved.JobTitle, moved.Department = "Research Manager", "Research"
	sold := grace
	sold.Department = "Development"
	top.send(t,
		hr.Event{Type: hr.EventTransferred, PersonID: "1", Effective: hr.Date{Year: 2025, Month: time.March, Day: 3}, Profile: &moved},
		hr.Event{Type: hr.EventTransferred, PersonID: "2", Effective: hr.Date{Year: 2025, Month: time.March, Day: 3}, Profile: &sold})
	top.expect(t, map[string]string{
		"directory/1": "abyron enabled Research Manager [engineers staff]",
		"directory/2": "gmurray enabled Sales Manager [engineers staff]",
		"directory/3": "amathison enabled Analyst [engineers staff]",
		"wiki/1":      "abyron enabled Research Manager [managers researchers]",
		"wiki/2":      "gmurray enabled Sales Manager [managers]",
		"wiki/3":      "amathison enabled Analyst [researchers]",
		"database/1":  "abyron enabled [app_readers]",
		"database/2":  "gmurray enabled [app_readers]",
		"database/3":  "amathison enabled [app_readers]",
	})

	top.send(t, hr.Event{
		Type: hr.EventTerminated, PersonID: "3", Effective: hr.Date{Year: 2025, Month: time.June, Day: 30},
		Termination: &hr.Termination{LastDay: hr.Date{Year: 2025, Month: time.June, Day: 30}},
	})
	// Where accounts are kept for a while, they are disabled and give nothing.
	top.expect(t, map[string]string{
		"directory/1": "abyron enabled Research Manager [engineers staff]",
		"directory/2": "gmurray enabled Sales Manager [engineers staff]",
		"directory/3": "amathison Analyst []",
		"wiki/1":      "abyron enabled Research Manager [managers researchers]",
		"wiki/2":      "gmurray enabled Sales Manager [managers]",
		"database/1":  "abyron enabled [app_readers]",
		"database/2":  "gmurray enabled [app_readers]",
		"database/3":  "amathison []",
	})
	said, code = top.tenure(t, nil, "run", "list", "--attention")
	assert.Zero(t, code, said)

	top.scanAndReview(t)

	// Workers compute the figures when they are first asked, and then every five minutes.
	watched := top.startPrometheus(t)
	watched.check(t)
	if file := os.Getenv("TENURE_REAL_DASHBOARD"); file != "" {
		ivan := somebody("Ivan", "Sutherland", "Engineer", "Development")
		barbara := somebody("Barbara", "Huberman", "Research Manager", "Research")
		top.send(t,
			hr.Event{Type: hr.EventHired, PersonID: "4", Effective: first, Profile: &ivan},
			hr.Event{Type: hr.EventHired, PersonID: "5", Effective: first, Profile: &barbara})
		watched.draw(t, file)
	}
	top.Process("worker-2").Stop()
	watched.fires(t, "TenureDown")
}

// scanAndReview has an app scanned, and a review held of what somebody was given for an hour: one
// asks, the other one decides and keeps it.
func (t *Topology) scanAndReview(test *testing.T) {
	test.Helper()
	do := func(args ...string) {
		test.Helper()
		said, code := t.tenure(test, nil, args...)
		require.Zero(test, code, "%q: %s", args, said)
	}
	show := func(c *assert.CollectT, into any, args ...string) {
		said, _ := t.Run(test.Context(), append(args, "-o", "json")...) // the exit status says that something waits
		assert.NoError(c, json.Unmarshal(said, into), "%q: %s", args, said)
	}
	wait := func(what string, done func(c *assert.CollectT)) {
		test.Helper()
		require.EventuallyWithT(test, done, patience, 200*time.Millisecond, what)
	}
	const why = "to see its figure"
	do("app", "scan", AppDirectory, "--wait")
	do("request", "new", "2", RoleOnCall, "--for", "1h", "--reason", why, "--apply")
	var requests []struct{ Request string }
	wait("a request", func(c *assert.CollectT) {
		show(c, &requests, "request", "list")
		assert.Len(c, requests, 1)
	})
	do("request", "approve", requests[0].Request, "--as", "1", "--reason", why, "--apply")
	wait("what was asked for", func(c *assert.CollectT) {
		var granted []struct{}
		show(c, &granted, "exception", "list")
		assert.Len(c, granted, 1)
	})
	do("review", "start", ReviewDrill, "--reason", why, "--apply")
	var reviews []struct{ Review, State string }
	in := func(state string) func(c *assert.CollectT) {
		return func(c *assert.CollectT) {
			show(c, &reviews, "review", "list", "--all")
			if assert.Len(c, reviews, 1) {
				assert.Equal(c, state, reviews[0].State)
			}
		}
	}
	wait("a review", in("open"))
	var shown struct {
		List []struct {
			Item     int64
			Reviewer string
		}
	}
	wait("its item", func(c *assert.CollectT) {
		show(c, &shown, "review", "show", reviews[0].Review, "--open")
		assert.Len(c, shown.List, 1)
	})
	one := shown.List[0]
	do("review", "decide", reviews[0].Review, "keep", strconv.FormatInt(one.Item, 10), "--as", one.Reviewer, "--reason", why, "--apply")
	do("review", "close", reviews[0].Review, "--reason", why, "--apply")
	wait("its end", in("closed"))
}

// start runs a topology of two workers and two starters until the test ends.
func start(t *testing.T, opts Options) *Topology {
	t.Helper()
	opts.KafkaLibs = os.Getenv("TENURE_REAL_KAFKA_LIBS")
	require.NotEmpty(t, opts.KafkaLibs, "TENURE_REAL_KAFKA_LIBS is not set: run `make test-real`")
	opts.Root, opts.Bin, opts.Scimmy = root, filepath.Join(root, "bin"), filepath.Join(root, ".real", "scimmy")
	opts.Workers, opts.Starters = 2, 2
	opts.Progress = func(line string) { t.Log(line) }
	top, err := Start(t.Context(), opts)
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			for _, name := range []string{"worker-1", "worker-2", "starter-1", "starter-2", "temporal"} {
				t.Logf("the end of what %s said:\n%s", name, top.Tail(name))
			}
		}
		top.Close()
	})
	return top
}

// confined checks that a process runs as in its image.
func confined(t *testing.T, pid int, image string) {
	t.Helper()
	of := func(name string) string { return fmt.Sprintf("/proc/%d/%s", pid, name) }
	inside, err := os.Readlink(of("root"))
	require.NoError(t, err)
	assert.Equal(t, image, inside)
	status, err := os.ReadFile(of("status"))
	require.NoError(t, err)
	assert.Regexp(t, `(?m)^Uid:\t10001\t10001\t`, string(status))
	assert.Regexp(t, `(?m)^CapEff:\t0+$`, string(status))
	mounts, err := os.ReadFile(of("mounts"))
	require.NoError(t, err)
	assert.Regexp(t, `(?m)^\S+ / \S+ ro,`, string(mounts))

	// The health check of docker-compose.yml, with nothing but the image to run it.
	probe := exec.CommandContext(t.Context(), "chroot", "--userspec=10001:10001", image, "/usr/local/bin/tenure", "probe", "worker")
	probe.Env = []string{"TENURE_CONFIG=/etc/tenure/worker-1.yaml"}
	said, err := probe.CombinedOutput()
	require.NoError(t, err, "%s", said)
}

// pollers counts those who ask Temporal for workflow tasks.
func pollers(t *testing.T, top *Topology) int {
	t.Helper()
	c, err := top.Temporal(t.Context())
	require.NoError(t, err)
	defer c.Close()
	queue, err := c.DescribeTaskQueue(t.Context(), workflows.TaskQueue, enumspb.TASK_QUEUE_TYPE_WORKFLOW)
	require.NoError(t, err)
	who := map[string]bool{}
	for _, p := range queue.GetPollers() {
		who[p.GetIdentity()] = true
	}
	return len(who)
}

// send gives events their keys, in order, and has the command line send them.
func (t *Topology) send(test *testing.T, events ...hr.Event) {
	test.Helper()
	var lines bytes.Buffer
	for _, e := range events {
		e.EventKey = hr.EventKey{Source: "/hr", ID: fmt.Sprintf("%s-%s-%s", e.PersonID, e.Type, e.Effective)}
		e.Recorded = time.Now()
		value, err := cloudevents.Encode(e)
		require.NoError(test, err)
		lines.Write(append(value, '\n'))
	}
	file := filepath.Join(test.TempDir(), "events.jsonl")
	require.NoError(test, os.WriteFile(file, lines.Bytes(), 0o600))
	said, code := t.tenure(test, nil, "event", "send", file)
	require.Zero(test, code, said)
}

// expect waits until the apps have these accounts and no others, by app and person.
func (t *Topology) expect(test *testing.T, want map[string]string) {
	test.Helper()
	var has map[string]string
	ok := assert.Eventually(test, func() bool {
		var err error
		if has, err = t.accounts(test.Context()); err != nil {
			has = map[string]string{"error": err.Error()}
		}
		return assert.ObjectsAreEqual(want, has)
	}, patience, 200*time.Millisecond)
	if !ok {
		require.Equal(test, want, has)
	}
}

func (t *Topology) accounts(ctx context.Context) (map[string]string, error) {
	has := map[string]string{}
	for _, app := range []string{AppDirectory, AppWiki, AppDatabase} {
		accounts, err := t.Accounts(ctx, app)
		if err != nil {
			return nil, err
		}
		for _, a := range accounts {
			key, text := app+"/"+a.Person, a.Username
			if a.Enabled {
				text += " enabled"
			}
			if a.Title != "" {
				text += " " + a.Title
			}
			text += " " + fmt.Sprint(slices.Sorted(slices.Values(a.Groups)))
			if other, twice := has[key]; twice {
				text = other + ", and " + text
			}
			has[key] = text
		}
	}
	return has, nil
}
