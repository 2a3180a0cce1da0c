package ledger

import (
	"context"
	"strconv"
	"time"
)

// Tasks stores the tasks that humans do in apps without an interface. A task is one attempt
// at one step. If the step is planned again, there is a new task.
type Tasks interface {
	// OpenTask returns the task for a step: the one that was opened since the step was
	// planned (and since an operator asked to retry it, if it was refused), or else a new
	// one. The step must have been begun. An open task asks for what t asks for from then on.
	// One that waits to be confirmed is open again, with an audit row, if t names another receiver
	// of data or asks for more.
	OpenTask(ctx context.Context, t Task) (Task, error)
	// RemindOfTask records that the assignee was reminded of an unfinished task, or that it
	// was escalated, with an audit row. LookAt is when the run looks at it next.
	RemindOfTask(ctx context.Context, r TaskReminder) error
	// ActOnTask records an operator's action on a task, with an audit row, and returns the
	// changed task. It fails with ErrNotFound, or with a *TaskError that gives the reason. A
	// task that becomes done or refused makes its person due, with DueWhat "task".
	ActOnTask(ctx context.Context, a TaskAction) (Task, error)
	// Tasks lists tasks by ID, after the given ID, at most limit.
	Tasks(ctx context.Context, f TaskFilter, after int64, limit int) ([]Task, error)
}

// TaskState is the state of a task.
type TaskState string

// The states of a task. It is unfinished while it is open or confirming.
const (
	TaskOpen       TaskState = "open"
	TaskConfirming TaskState = "confirming" // one operator says that it is done; a second one has to confirm
	TaskDone       TaskState = "done"
	TaskRefused    TaskState = "refused"   // it cannot or will not be done; its step needs attention
	TaskWithdrawn  TaskState = "withdrawn" // the plan no longer asks for its step
)

// Task is something that a human is asked to do.
type Task struct {
	ID       int64 // given by the ledger, ascending, never reused
	PersonID string
	App      string
	Key      string // of the step
	Kind     string // of the step: plan.Kind
	Work     TaskWork

	Assignee     string // who does the task, as the configuration names them
	EscalateTo   string // who is notified when it is overdue; may be empty
	SecondPerson bool   // a second operator, from another login, has to confirm that it is done

	State       TaskState
	OpenedAt    time.Time
	DueAt       time.Time
	LookAt      time.Time // when the person's run looks at it next: for a reminder, or because its time is over
	Reminders   int       // how often the assignee was reminded
	EscalatedAt time.Time // when it was found to be overdue

	DoneBy, Proof string // of the first operator; Proof tells how to see that it is done
	DoneLogin     string // see WithLogin
	DoneAt        time.Time
	Account       string // the account's name in the app, if the operator gave it
	EndedBy, Why  string // who confirmed or refused it, and why
	EndedLogin    string
	EndedAt       time.Time
}

const taskPrefix = "t-"

// Name returns the name by which notices refer to the task, such as "t-12".
func (t Task) Name() string { return taskPrefix + strconv.FormatInt(t.ID, 10) }

// TaskID returns the number of the task with a name, and false if the text is no such name.
func TaskID(name string) (int64, bool) { return numberIn(name, taskPrefix) }

// Unfinished reports whether the task is open or confirming.
func (t Task) Unfinished() bool { return t.State == TaskOpen || t.State == TaskConfirming }

// Late reports whether the task is unfinished although it was due.
func (t Task) Late(now time.Time) bool { return t.Unfinished() && !now.Before(t.DueAt) }

// TaskWork describes what a human has to do. It holds personal data, which only the ledger
// and the people who do the work may see.
type TaskWork struct {
	Account      string         `json:"account,omitempty"` // username
	Enabled      bool           `json:"enabled,omitempty"` // Provision: whether the account is to be usable
	Grant        []string       `json:"grant,omitempty"`
	Revoke       []string       `json:"revoke,omitempty"`
	Attributes   map[string]any `json:"attributes,omitempty"` // the values that they are to get
	To           string         `json:"to,omitempty"`         // HandOver: the account that gets the data
	ToPerson     string         `json:"toPerson,omitempty"`   // HandOver: the person ID of its owner
	Could        []string       `json:"could,omitempty"`      // HandOver: if nobody was chosen, the person IDs of those who could be
	Nobody       string         `json:"nobody,omitempty"`     // HandOver: why nobody was chosen
	Why          string         `json:"why,omitempty"`
	Instructions string         `json:"instructions,omitempty"` // from the configuration
}

// TaskReminder records that somebody was reminded of an unfinished task.
type TaskReminder struct {
	ID       int64
	At       time.Time
	LookAt   time.Time
	Overdue  bool // it was escalated
	Reminded bool // the assignee was reminded
}

// TaskVerb names an operator's action on a task.
type TaskVerb string

// The operator's verbs for tasks.
const (
	VerbTaskDone   TaskVerb = "task_done"
	VerbTaskRefuse TaskVerb = "task_refuse"
)

// TaskAction is an operator's action on a task.
type TaskAction struct {
	Verb     TaskVerb
	ID       int64
	Operator string
	Text     string // the proof, or the reason
	Account  string // the account's name in the app; may be empty
	At       time.Time
}

// TaskError gives the reason why an operator's action on a task was refused.
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
