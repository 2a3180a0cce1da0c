package e2e

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/operatorservice/v1"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/workflows"
)

// TestConfigCheckLooksAndChangesNothing checks the connections of a whole stack, when all
// of it runs and when a part is missing. The check changes nothing.
func TestConfigCheckLooksAndChangesNothing(t *testing.T) {
	t.Parallel()
	r := startRig(t, stack.Options{})
	var shown string
	file := r.Stack.ConfigFile()
	check := func() (code int) {
		out, said, err := r.tenureWith(t, file, "config", "check", "--connect")
		shown = out + said
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return exit.ExitCode()
		}
		require.NoError(t, err)
		return 0
	}
	// The starter needs some time to join its group and to register what Temporal needs.
	require.Eventually(t, func() bool { return check() == 0 }, patience, 100*time.Millisecond)
	assert.NotContains(t, shown, "missing")
	before := r.sees(t)
	require.Zero(t, check(), shown)
	assert.Equal(t, before, r.sees(t))

	attribute := workflows.AttrStage.GetName()
	_, err := r.temporal.OperatorService().RemoveSearchAttributes(t.Context(), &operatorservice.RemoveSearchAttributesRequest{
		Namespace: stack.Namespace, SearchAttributes: []string{attribute},
	})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return check() == 3 }, patience, 100*time.Millisecond)
	assert.Contains(t, shown, "temporal operator search-attribute create -n "+stack.Namespace+" --name "+attribute+" --type Keyword")
	assert.NotContains(t, shown, "kafka-topics.sh")

	content, err := os.ReadFile(file)
	require.NoError(t, err)
	more := strings.Replace(string(content), "topics: [", "topics: [{name: hr.absent}, ", 1)
	more = strings.Replace(more, "\napps:\n", "\napps:\n  unserved: {connector: memory}\n", 1)
	require.NotEqual(t, string(content), more)
	file = filepath.Join(filepath.Dir(file), "more.yaml")
	require.NoError(t, os.WriteFile(file, []byte(more), 0o600))
	before = r.sees(t)
	require.Equal(t, 3, check(), shown)
	assert.Contains(t, shown, "topic hr.absent: it does not exist")
	assert.Contains(t, shown, "task queue "+activities.AppQueue("unserved")+": no worker takes its tasks")
	assert.Contains(t, shown, "workers take the tasks of "+workflows.TaskQueue+", "+workflows.UrgentQueue)
	assert.Contains(t, shown, "kafka-topics.sh --bootstrap-server "+r.Stack.KafkaAddress()+" --create --topic hr.absent ")
	assert.Equal(t, before, r.sees(t), "what is missing is named, and not made")
	assert.NotContains(t, before.attributes, attribute)
	assert.NotContains(t, before.topics, "hr.absent")
}

// sight holds everything that a check could change.
type sight struct {
	topics, groups map[string]int // names, with the number of partitions or members
	attributes     []string
}

func (r *rig) sees(t *testing.T) sight {
	t.Helper()
	s := sight{topics: map[string]int{}, groups: map[string]int{}}
	metadata, err := r.kafka.Metadata(t.Context(), &kafka.MetadataRequest{})
	require.NoError(t, err)
	for _, topic := range metadata.Topics {
		s.topics[topic.Name] = len(topic.Partitions)
	}
	groups, err := r.kafka.ListGroups(t.Context(), &kafka.ListGroupsRequest{})
	require.NoError(t, err)
	for _, g := range groups.Groups {
		described, err := r.kafka.DescribeGroups(t.Context(), &kafka.DescribeGroupsRequest{GroupIDs: []string{g.GroupID}})
		require.NoError(t, err)
		s.groups[g.GroupID] = len(described.Groups[0].Members)
	}
	attributes, err := r.temporal.OperatorService().ListSearchAttributes(t.Context(), &operatorservice.ListSearchAttributesRequest{Namespace: stack.Namespace})
	require.NoError(t, err)
	for name := range attributes.GetCustomAttributes() {
		s.attributes = append(s.attributes, name)
	}
	slices.Sort(s.attributes)
	return s
}
