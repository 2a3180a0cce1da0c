// Package checkup describes what was found at a system that Tenure depends on: whether it
// is reached, with which account, what is missing, and what to do
// about that. It imports nothing of Tenure's.
package checkup

// Verdict says how well a finding is.
type Verdict string

// What a verdict may be, from the best to the worst.
const (
	OK      Verdict = "ok"
	Note    Verdict = "note"    // well enough, and worth knowing
	Unknown Verdict = "unknown" // the system does not tell
	Missing Verdict = "missing" // Tenure cannot work without it: somebody has to do something
)

// Finding is one thing that was looked at.
type Finding struct {
	About   string  `json:"about"` // "topic hr.events"
	Verdict Verdict `json:"verdict"`
	Text    string  `json:"text"`
	Do      string  `json:"do,omitempty"` // what to do: a command, where there is one
}

// Report holds the findings at one system.
type Report struct {
	System   string    `json:"system"`
	Address  string    `json:"address"`
	Identity string    `json:"identity"`
	Reached  bool      `json:"reached"`
	Problem  string    `json:"problem,omitempty"` // why it was not reached
	Findings []Finding `json:"findings"`
}

// Add adds a finding.
func (r *Report) Add(about string, verdict Verdict, text, do string) {
	r.Findings = append(r.Findings, Finding{About: about, Verdict: verdict, Text: text, Do: do})
}

// Unreached says why the system was not reached.
func (r *Report) Unreached(err error) { r.Reached, r.Problem = false, err.Error() }

// Count returns how many findings have a verdict.
func (r *Report) Count(v Verdict) int {
	n := 0
	for _, f := range r.Findings {
		if f.Verdict == v {
			n++
		}
	}
	return n
}
