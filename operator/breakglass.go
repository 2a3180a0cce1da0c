package operator

import (
	"context"
	"sync"
	"time"

	"github.com/tenurehq/tenure/provision"
)

// Engine cuts a person off in the apps from this process, without Temporal.
type Engine interface {
	// CutOff disables the person's account in every app at once. It tries again what
	// fails until ctx ends. It calls tell for each app that it is done with, from several
	// goroutines at once.
	CutOff(ctx context.Context, req provision.CutOffRequest, tell func(provision.CutOffResult)) error
}

// BreakGlass suspends somebody while Temporal is down: it records the suspension, has the
// Engine disable the accounts, within the given time, and returns how far each app is.
// Tell is called for each app when it is done or has failed; its calls do not overlap.
func (o *Operator) BreakGlass(ctx context.Context, r Request, personID string, within time.Duration, tell func(SecuredApp)) ([]SecuredApp, error) {
	said, err := o.secure(ctx, Suspend, r, personID, true)
	if err != nil {
		return nil, err
	}
	work, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var mu sync.Mutex
	failed := map[string]SecuredApp{}
	err = o.Engine.CutOff(work, provision.CutOffRequest{PersonID: personID, Operator: r.Actor, Reason: r.Reason}, func(result provision.CutOffResult) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case result.Code != "":
			app := SecuredApp{PersonID: personID, App: result.App, Stuck: true, Code: result.Code, Message: result.Message}
			failed[app.App] = app
			tell(app)
		case !result.Link.ProvenAt.IsZero(): // without a proof here, another process did it, and the ledger says how
			tell(SecuredApp{PersonID: personID, App: result.App, State: result.Link.State, ProvenAt: result.Link.ProvenAt, Done: true})
		}
	})
	if err != nil {
		return nil, err
	}
	apps, _, err := o.Progress(ctx, said)
	if err != nil {
		return nil, err
	}
	for i, app := range apps {
		if f, ok := failed[app.App]; ok {
			apps[i].Done, apps[i].Stuck, apps[i].Code, apps[i].Message = false, true, f.Code, f.Message
		}
	}
	return apps, nil
}
