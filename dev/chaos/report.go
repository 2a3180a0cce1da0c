package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/tenurehq/tenure/dev/bench/sheet"
	"github.com/tenurehq/tenure/dev/topology"
)

// Row is one fault and its consequences. The fields from Accounts on are about the
// whole history, which several faults may share.
type Row struct {
	Fault   string `json:"fault"`
	Outage  string `json:"outage"`
	People  int    `json:"people"`
	Events  int    `json:"events"` // without repetitions
	Sent    int    `json:"sent"`   // records sent when it struck
	Behind  int64  `json:"behind"` // records not acknowledged when it was over
	Ready   string `json:"ready"`  // from then until all of Tenure was ready
	Settled string `json:"settled"`

	Accounts   int      `json:"accounts"` // enabled ones, and right
	Admitted   int      `json:"admitted"` // leavers whom the breaker let through
	Held       int      `json:"held"`     // cohorts that the breaker held, and an operator released
	Refused    int      `json:"refused"`  // hostile records, each of which is a dead letter
	Granted    int      `json:"granted"`  // requests whose access was proven, and is over
	Scans      int      `json:"scans"`    // of apps, that came to their end
	Reviews    int      `json:"reviews"`  // that were closed and proven
	Revoked    int      `json:"revoked"`  // what they have revoked
	Wrong      int      `json:"wrong"`
	Lost       int      `json:"lost"`
	Duplicates int      `json:"duplicates"`
	Restarted  string   `json:"restarted,omitempty"` // processes that ended by themselves
	Examples   []string `json:"examples,omitempty"`
}

// Good reports whether everything was as it must be, and was put to the test: the
// breaker has held somebody, records were refused, access was asked for, apps were scanned and
// reviews have revoked something.
func (r Row) Good() bool {
	return r.Accounts > 0 && r.Held > 0 && r.Refused > 0 && r.Granted > 0 && r.Scans > 0 && r.Revoked > 0 && r.Wrong+r.Lost+r.Duplicates == 0
}

// behind counts records that were sent and are not acknowledged; Kafka may not answer yet.
func (r *Row) behind(ctx context.Context, t *topology.Topology) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	ends, endsErr := t.Ends(ctx, topology.TopicEvents)
	committed, committedErr := t.Committed(ctx)
	if endsErr != nil || committedErr != nil {
		return
	}
	for p, end := range ends {
		r.Behind += end - committed[p]
	}
}

func (r *Row) judged(v *verdict, settled time.Duration, restarted string) {
	r.Settled, r.Accounts, r.Restarted = settled.String(), v.accounts, restarted
	r.Admitted, r.Granted, r.Scans, r.Reviews, r.Revoked = v.admitted, v.granted, v.scans, v.reviews, v.revoked
	r.Wrong, r.Lost, r.Duplicates = len(v.wrong), len(v.lost), len(v.duplicates)
	for _, some := range [][]string{v.wrong, v.lost, v.duplicates} {
		r.Examples = append(r.Examples, some[:min(5, len(some))]...)
	}
}

// Print prints the table, and examples of what is wrong.
func Print(out io.Writer, rows []Row) {
	t := sheet.Table(out, table.Row{"fault", "for", "people", "events", "sent before", "behind after", "ready after", "settled after", "accounts right", "leavers admitted", "cohorts held", "hostile records", "requests granted", "scans", "reviews", "revoked", "wrong", "lost", "duplicate"})
	for _, r := range rows {
		t.AppendRow(table.Row{r.Fault, r.Outage, r.People, r.Events, r.Sent, r.Behind, r.Ready, r.Settled, r.Accounts, r.Admitted, r.Held, r.Refused, r.Granted, r.Scans, r.Reviews, r.Revoked, r.Wrong, r.Lost, r.Duplicates})
	}
	t.Render()
	for _, r := range rows {
		if r.Restarted != "" {
			fmt.Fprintf(out, "%s: ended by itself and was started again: %s\n", r.Fault, r.Restarted)
		}
		for _, example := range r.Examples {
			fmt.Fprintf(out, "%s: %s\n", r.Fault, example)
		}
	}
}

// Load reads rows from a file; none if it is not there.
func Load(path string) (rows []Row, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &rows)
	}
	return rows, err
}

// Save writes rows to a file.
func Save(path string, rows []Row) error {
	text, err := json.MarshalIndent(rows, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o600)
}
