// Package checkup describes the result of checking a system that Tenure depends on: whether
// it was reached, with which account, what is missing, and what to do about that. It imports
// no other package of Tenure.
package checkup

// Verdict rates a finding.
type Verdict string

// The verdicts, from the best to the worst.
const (
	OK      Verdict = "ok"
	Note    Verdict = "note"    // good enough, and worth knowing
	Unknown Verdict = "unknown" // it cannot be found out from the system
	Missing Verdict = "missing" // Tenure cannot work without it: an operator has to act
)

// Finding is the result of one check.
type Finding struct {
	About   string  `json:"about"` // "topic hr.events"
	Verdict Verdict `json:"verdict"`
	Text    string  `json:"text"`
	Do      string  `json:"do,omitempty"` // what to do: a command, where there is one
}

// Report holds the findings about one system.
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

// Unreached records that the system was not reached, and why.
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
