package bench

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/scim"
	"github.com/tenurehq/tenure/connector/scim/scimtest"
	"github.com/tenurehq/tenure/dev/bench/hrevents"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/provision"
	"github.com/tenurehq/tenure/workflows"
)

// Requests counts the HTTP requests that an app which speaks SCIM gets for one change of
// one person, from the event to the proof.
type Requests struct {
	Change string         `json:"change"`
	Person map[string]int `json:"person"` // by method and resource
	Total  int            `json:"total"`
	// Least is the number of requests that the protocol needs, with one as proof.
	Least int    `json:"least"`
	Why   string `json:"why"`
}

// scimToken is the token of the service. It opens nothing else.
const scimToken = "bench"

// scimChanges lists the changes that are counted, and the requests that SCIM needs for
// each. Memberships are stored in groups, so each group is a request.
var scimChanges = []struct {
	name  string
	event func(person string) hr.Event
	least int
	why   string
}{
	{"joiner, two groups", hired, 5, "look (both keys at once), POST, a PATCH for each group, prove"},
	{"mover, title and one group each way", moved, 4, "PATCH, a PATCH for each group, prove"},
	{"leaver, two groups, deleted after retention", hrevents.Left, 10, "PATCH active, prove; see which groups, a PATCH for each, prove by the account, by its groups and by somebody who still shows theirs; DELETE, prove"},
}

// requests counts the requests to an app that speaks SCIM. It leaves out the first
// person, with whom the worker learns what the app offers, and a second one, who stays.
func (r *rig) requests(ctx context.Context, people int) (_ []Requests, err error) {
	service, err := scimtest.New(scimtest.Options{Name: "bench", Token: scimToken, Groups: []string{"staff", "engineers", "sales"}})
	if err != nil {
		return nil, err
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: service, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(ln) }()
	defer func() { _ = server.Close() }()
	c, err := scim.Kind.Open(ctx, connector.Env{App: "scim"}, connector.Settings{
		"url": "http://" + ln.Addr().String() + scimtest.BasePath, "token": scimToken, "combinedLookups": true,
	})
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	t, err := r.serve(ctx, map[string]*provision.App{"scim": {Connector: c}}, map[string]policy.AppRules{
		"scim": {Attributes: map[string]string{"title": "person.jobTitle"}},
	})
	if err != nil {
		return nil, err
	}
	sums := make([]map[string]int, len(scimChanges))
	for i := range people + 2 {
		person := fmt.Sprintf("scim-%d", i)
		changes := scimChanges
		if i == 1 {
			changes = changes[:1]
		}
		for j, change := range changes {
			before := service.Stats().ByKind
			if err := t.tell(ctx, change.event(person)); err != nil {
				return nil, err
			}
			if err := t.rig.temporal.GetWorkflow(ctx, workflows.WorkflowID(person), "").Get(ctx, nil); err != nil {
				return nil, err
			}
			if i <= 1 {
				continue
			}
			if sums[j] == nil {
				sums[j] = map[string]int{}
			}
			for kind, n := range service.Stats().ByKind {
				sums[j][kind] += n - before[kind]
			}
		}
	}
	all := make([]Requests, len(scimChanges))
	for i, change := range scimChanges {
		maps.DeleteFunc(sums[i], func(kind string, n int) bool { sums[i][kind] = n / people; return sums[i][kind] == 0 })
		all[i] = Requests{Change: change.name, Person: sums[i], Least: change.least, Why: change.why}
		for _, n := range sums[i] {
			all[i].Total += n
		}
	}
	return all, t.close()
}
