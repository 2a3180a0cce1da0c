package ledger

import (
	"context"
	"time"
)

// Tasks stores what humans are asked to do in apps that have no API. A task is one
// attempt of Tenure's at one step: it is asked anew when the step is planned anew.
type Tasks interface {
	// OpenTask asks for a step, and returns how that stands: the task that was
	// opened for it since the step was planned (and since an operator had it tried
	// again, if it was refused), or else a new one. A step must have been begun.
	OpenTask(ctx context.Context, t Task) (Task, error)
	// RemindOfTask notes that the assignee was reminded of an unfinished task, or
	// that it was escalated. LookAt is when to see to it next. It writes an audit row.
	RemindOfTask(ctx context.Context, r TaskReminder) error
	// ActOnTask records what an operator did about a task, with an audit row, and
	// returns the task as it is then; or ErrNotFound, or a *TaskError that says why
	// that cannot be done. One that is done or refused makes its person due, with
	// DueWhat "task".
	ActOnTask(ctx context.Context, a TaskAction) (Task, error)
	// Tasks lists tasks by ID, after the given ID, at most limit.
	Tasks(ctx context.Context, f TaskFilter, after int64, limit int) ([]Task, error)
}

// TaskState is the state of a task.
type TaskState string

// The life of a task. It is unfinished while it is open or confirming.
const (
	TaskOpen       TaskState = "open"
	TaskConfirming TaskState = "confirming" // one operator says that it is done; a second one has to look
	TaskDone       TaskState = "done"
	TaskRefused    TaskState = "refused"   // it cannot or will not be done: its step needs attention
	TaskWithdrawn  TaskState = "withdrawn" // its step is not asked for any more
)

// Task is something that a human is asked to do.
type Task struct {
	ID       int64 // given by the ledger, ascending, never reused
	PersonID string
	App      string
	Key      string // of the step
	Kind     string // of the step: plan.Kind
	Work     TaskWork

	Assignee     string // who is asked, as the company calls them
	EscalateTo   string // who is told when it is overdue; may be empty
	SecondPerson bool   // a second operator, from another login, has to confirm that it is done

	State       TaskState
	OpenedAt    time.Time
	DueAt       time.Time
	LookAt      time.Time // when the person's run sees to it next: a reminder, or the end of its time
	Reminders   int       // how often the assignee was reminded
	EscalatedAt time.Time // when it was found to be overdue

	DoneBy, Proof string // the first operator's; Proof is how it can be seen that it is done
	DoneLogin     string // see WithLogin
	DoneAt        time.Time
	Account       string // the account's name in the app, if the operator said so
	EndedBy, Why  string // who confirmed or refused it, and why
	EndedLogin    string
	EndedAt       time.Time
}

// Unfinished reports whether somebody still has to do something about it.
func (t Task) Unfinished() bool { return t.State == TaskOpen || t.State == TaskConfirming }

// TaskWork describes what a human has to do. It holds personal data: only the ledger
// and those who do the work may see it.
type TaskWork struct {
	Account      string         `json:"account,omitempty"` // username
	Enabled      bool           `json:"enabled,omitempty"` // Provision: whether the account is to be usable
	Grant        []string       `json:"grant,omitempty"`
	Revoke       []string       `json:"revoke,omitempty"`
	Attributes   map[string]any `json:"attributes,omitempty"` // what they are to be
	To           string         `json:"to,omitempty"`         // HandOver: the account that gets the data
	Why          string         `json:"why,omitempty"`
	Instructions string         `json:"instructions,omitempty"` // the configuration's
}

// TaskReminder says that somebody was told of an unfinished task again.
type TaskReminder struct {
	ID       int64
	At       time.Time
	LookAt   time.Time
	Overdue  bool // it was escalated
	Reminded bool // the assignee was reminded
}

// TaskVerb names what an operator did about a task.
type TaskVerb string

// The operator's verbs for tasks.
const (
	VerbTaskDone   TaskVerb = "task_done"
	VerbTaskRefuse TaskVerb = "task_refuse"
)

// TaskAction is an operator's word on a task.
type TaskAction struct {
	Verb     TaskVerb
	ID       int64
	Operator string
	Text     string // the proof, or the reason
	Account  string // the account's name in the app; empty if nothing is to be said of it
	At       time.Time
}

// TaskError says why an operator's word on a task was not taken.
type TaskError struct{ Text string }

func (e *TaskError) Error() string { return e.Text }

// TaskFilter selects tasks; fields that are zero match all.
type TaskFilter struct {
	ID       int64
	PersonID string
	App      string
	Assignee string
	States   []TaskState // any of these
}
