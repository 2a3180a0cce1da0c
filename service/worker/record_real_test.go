//go:build real

package worker

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"

	"github.com/tenurehq/tenure/audit"
	"github.com/tenurehq/tenure/ingest/brokertest"
)

// rsyslog is a process of Debian's rsyslog.
type rsyslog struct {
	t                 *testing.T
	address, dir, out string
	process           *exec.Cmd
}

// newRsyslog starts one that takes messages over TLS from whoever shows a certificate with the name
// of the client, and writes what it was sent into a file.
func newRsyslog(t *testing.T) (r *rsyslog, tls string) {
	t.Helper()
	authority := brokertest.NewAuthority(t, "rsyslog")
	tomorrow := time.Now().Add(24 * time.Hour)
	certificate, key, _ := authority.Issue("rsyslog", tomorrow)
	client, clientKey, _ := authority.Issue("tenure", tomorrow)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, free.Close())
	dir := t.TempDir()
	r = &rsyslog{t: t, address: free.Addr().String(), dir: dir, out: filepath.Join(dir, "record")}
	_, port, _ := net.SplitHostPort(r.address)
	// The lines of docs/export.md, but for where things are.
	text, err := os.ReadFile("../../docs/export.md")
	require.NoError(t, err)
	block := regexp.MustCompile("(?s)```\nglobal\\(.*?```").FindString(string(text))
	require.NotEmpty(t, block, "docs/export.md has the configuration of rsyslog")
	settings := strings.NewReplacer("```", "", "/etc/rsyslog/ca.pem", authority.File, "/etc/rsyslog/cert.pem", certificate, "/etc/rsyslog/key.pem", key,
		"/var/log/tenure/audit", r.out, "6514", port, "tenure.example.com", "tenure").Replace(block)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "rsyslog.conf"), []byte(settings), 0o600))
	t.Cleanup(func() {
		r.kill()
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			t.Logf("%s\nrsyslog: %s", settings, log)
		}
	})
	r.start()
	return r, fmt.Sprintf("tls: {ca: %s, certificate: %s, key: %s, serverName: localhost}", authority.File, client, clientKey)
}

func (r *rsyslog) start() {
	r.t.Helper()
	log, err := os.OpenFile(filepath.Join(r.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(r.t, err)
	defer log.Close()
	r.process = exec.Command("/usr/sbin/rsyslogd", "-n", "-f", filepath.Join(r.dir, "rsyslog.conf"), "-i", filepath.Join(r.dir, "pid"))
	r.process.Stdout, r.process.Stderr = log, log
	r.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(r.t, r.process.Start())
	require.Eventually(r.t, func() bool {
		conn, err := net.Dial("tcp", r.address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, time.Minute, 10*time.Millisecond, "rsyslog takes connections")
}

// kill ends it at once.
func (r *rsyslog) kill() {
	if r.process == nil {
		return
	}
	_ = r.process.Process.Kill()
	_ = r.process.Wait()
	_ = os.Remove(filepath.Join(r.dir, "pid"))
	r.process = nil
}

// header is what RFC 5424 has before a message.
var header = regexp.MustCompile(`^<(?:85|81)>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \S+ tenure - \S+ - `)

// received returns the messages that rsyslog has written, without their headers.
func (r *rsyslog) received() (messages []string) {
	r.t.Helper()
	for _, line := range linesOf(r.t, r.out) {
		h := header.FindString(line)
		require.NotEmpty(r.t, h, "%q", line)
		messages = append(messages, strings.TrimPrefix(line, h))
	}
	return messages
}

func TestTheRecordIsExportedToRsyslog(t *testing.T) {
	r, tls := newRsyslog(t)
	requireExported(t, noKafka, destination{
		export: fmt.Sprintf("format: cef, syslog: %q, %s", r.address, tls), received: r.received, away: r.kill, back: r.start,
	})
}

// consumed returns what a consumer that is not ours reads of a topic, a line for each message.
func consumed(t *testing.T, broker, topic, form string) []string {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	out, err := exec.CommandContext(ctx, "kcat", "-b", broker, "-t", topic, "-C", "-e", "-q", "-o", "beginning", "-f", form).Output()
	require.NoError(t, err)
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

func TestTheRecordIsExportedToKafka(t *testing.T) {
	cluster := brokertest.Start(t, brokertest.Options{})
	cluster.CreateTopic("tenure.audit", 3, nil)
	broker := cluster.Brokers()[0]
	requireExported(t, fmt.Sprintf("kafka: {brokers: [%q]}\n", broker), destination{
		export: "format: ocsf, kafka: tenure.audit",
		received: func() (values []string) {
			partition := ""
			for _, line := range consumed(t, broker, "tenure.audit", `%p %k %h\t%s\n`) {
				if line == "" {
					continue
				}
				head, value, _ := strings.Cut(line, "\t")
				if partition == "" {
					partition = head[:1]
				}
				require.Regexp(t, `^`+partition+` example.com/tenure id=example.com/tenure:\d+:[0-9a-f]{16}`, head, "one partition, and each message has its ID")
				values = append(values, value)
			}
			return values
		},
		away: func() { cluster.Kill(0) }, back: func() { cluster.Restart(0) },
	})
}

// Checkpoints are on a topic, where those who administer the ledger cannot take them back: whoever reads
// it finds a log that was made anew.
func TestCheckpointsArePublishedToKafka(t *testing.T) {
	cluster := brokertest.Start(t, brokertest.Options{})
	cluster.CreateTopic("tenure.checkpoints", 1, nil)
	broker := cluster.Brokers()[0]
	signs, verifies, err := audit.NewKey("example.com/tenure")
	require.NoError(t, err)
	key := filepath.Join(t.TempDir(), "signer")
	require.NoError(t, os.WriteFile(key, []byte(signs), 0o600))
	k := newKeeper(t, fmt.Sprintf("kafka: {brokers: [%q]}\naudit:\n  origin: example.com/tenure\n  every: 20ms\n  checkpoint: 20ms\n  key: \"${file:%s}\"\n  publish: [{kafka: tenure.checkpoints}]\n", broker, key))
	kept := func() []string {
		return audit.Split([]byte(strings.Join(consumed(t, broker, "tenure.checkpoints", `%s\n`), "\n")))
	}
	covered := func() bool {
		c := k.counts()
		return c.Size == int64(k.rows) && c.Checkpoint != nil && c.Checkpoint.Size == c.Size && len(c.Published) == 1 && c.Published[0].Size == c.Size
	}
	verify := func() *audit.Report {
		verifier, err := note.NewVerifier(verifies)
		require.NoError(t, err)
		var report *audit.Report
		require.NoError(t, k.store.ReadRecord(t.Context(), func(s audit.Source) (err error) {
			report, err = audit.Verify(t.Context(), s, audit.Options{Origin: "example.com/tenure", Verifiers: note.VerifierList(verifier), MustBeSigned: true, Kept: kept()})
			return err
		}))
		return report
	}
	k.start()
	k.write(30)
	k.await("a checkpoint is published", covered)
	k.kill()
	require.NoError(t, k.store.Close())
	backup, err := os.ReadFile(ledgerOf(k.path))
	require.NoError(t, err)
	k.open()

	k.start()
	k.write(30)
	k.await("another one is published", covered)
	cluster.Kill(0)
	k.write(30)
	k.await("it is said that the broker is away", func() bool { return strings.Contains(k.said(), "could not be published to kafka tenure.checkpoints") })
	k.kill()
	cluster.Restart(0)
	k.start()
	k.await("what was not published is", covered)
	k.stop()
	report := verify()
	assert.Empty(t, report.Findings)
	assert.GreaterOrEqual(t, report.Kept, int64(3))
	assert.EqualValues(t, 90, report.Covered)

	// Whoever has the database and the key restores the backup, and writes another record.
	require.NoError(t, k.store.Close())
	for _, beside := range []string{"-wal", "-shm"} {
		_ = os.Remove(ledgerOf(k.path) + beside)
	}
	require.NoError(t, os.WriteFile(ledgerOf(k.path), backup, 0o600))
	k.open()
	k.rows = 30
	report = verify()
	assert.Positive(t, report.Counts[audit.RolledBack], "%v", report.Findings)
	k.start()
	k.write(70)
	k.await("the other log is published", covered)
	k.stop()
	report = verify()
	assert.False(t, report.Sound())
	assert.Positive(t, report.Counts[audit.Forked]+report.Counts[audit.Rewritten], "%v", report.Findings)
}
