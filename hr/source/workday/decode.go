package workday

import (
	"slices"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
)

// decode is the source.Decoder of one tenant.
func (s *system) decode(r source.Record) ([]hr.Event, []source.Warning, error) {
	workers, refusal := read(r.Value)
	if refusal != nil {
		return nil, nil, refusal
	}
	var (
		events []hr.Event
		thin   []string
	)
	for _, w := range workers {
		w, missing, refusal := s.whole(w, r.Fetched)
		if missing {
			thin = append(thin, w.reference())
			continue
		}
		var said []hr.Event
		if refusal == nil {
			said, refusal = s.events(w)
		}
		if refusal == nil {
			said, refusal = s.list(w, said)
		}
		if refusal != nil {
			return nil, nil, s.about(refusal, w, workers, r.Fetched)
		}
		events = append(events, said...)
	}
	if len(thin) > 0 {
		slices.Sort(thin)
		return nil, nil, &source.ThinError{References: slices.Compact(thin)}
	}
	return distinct(events), nil, nil
}

// about returns the error of a record that cannot be decoded because of one worker, with
// the person whose access the record ends, whichever of its workers that is.
func (s *system) about(err error, because worker, all []worker, fetched map[string][]byte) error {
	for _, w := range append([]worker{because}, all...) {
		if w, _, refusal := s.whole(w, fetched); refusal == nil && s.ends(w) {
			return source.About(err, w.id, true)
		}
	}
	return source.About(err, because.id, false)
}

// ends reports whether a worker's data end their employment, as far as they can be read.
// Somebody who is hired for a later day is not active yet.
func (s *system) ends(w worker) bool {
	st := statusOf(w)
	hired := false
	for _, entry := range w.element.at("Worker_Data", "Transaction_Log_Entry_Data").all("Transaction_Log_Entry") {
		switch kind, _ := s.typeOf(transactionOf(entry).process, false); kind {
		case hr.EventTerminated:
			return true
		case hr.EventHired, hr.EventRehired:
			hired = true
		}
	}
	return st.terminated || st.inactive && !hired
}

// distinct leaves out events that a document has twice.
func distinct(events []hr.Event) []hr.Event {
	seen := make(map[hr.EventKey]bool, len(events))
	return slices.DeleteFunc(events, func(e hr.Event) bool {
		again := seen[e.EventKey]
		seen[e.EventKey] = true
		return again
	})
}

// whole returns the worker with data: its own, or the data that were fetched. It reports
// whether the data are missing and have to be fetched.
func (s *system) whole(w worker, fetched map[string][]byte) (_ worker, missing bool, _ *source.Error) {
	if w.element.at("Worker_Data") != nil {
		return w, false, nil
	}
	answer, ok := fetched[w.reference()]
	switch {
	case !ok && !s.fetches:
		return w, false, &source.Error{Reason: source.ReasonThin, Field: "Worker_Data", Text: "is missing: send the worker's data, or give settings.url, username and password, so that Tenure fetches them"}
	case !ok:
		return w, true, nil
	case answer == nil:
		return w, false, &source.Error{Reason: source.ReasonNotFound, Field: "Worker_Reference", Text: "names a worker whom Workday does not know (any more), or whom the user may not see"}
	}
	found, refusal := read(answer)
	if refusal != nil {
		return w, false, &source.Error{Reason: refusal.Reason, Field: "fetched", Text: "is no Get_Workers_Response"}
	}
	i := slices.IndexFunc(found, func(f worker) bool { return f.id == w.id && f.element.at("Worker_Data") != nil })
	if i < 0 {
		return w, false, &source.Error{Reason: source.ReasonNotFound, Field: "fetched", Text: "has no data of the worker: let the user see them"}
	}
	return found[i], false, nil
}

// transaction is one entry of the log.
type transaction struct {
	wid                 string
	process             string
	effective, recorded string // as Workday wrote them
}

func transactionOf(n *node) transaction {
	data := n.at("Transaction_Log_Data")
	process := data.first("Transaction_Log_Type_Reference").id("Business_Process_Type", "Event_Lite_Type_ID")
	if process == "" {
		process = data.said("Transaction_Log_Description")
	}
	return transaction{
		wid:       n.at("Transaction_Log_Reference").id("WID"),
		process:   process,
		effective: data.said("Transaction_Effective_Moment"),
		recorded:  data.said("Transaction_Entry_Moment"),
	}
}

// events returns the events of a worker's transactions.
func (s *system) events(w worker) ([]hr.Event, *source.Error) {
	data := w.element.at("Worker_Data")
	entries := data.at("Transaction_Log_Entry_Data").all("Transaction_Log_Entry")
	undone := data.all("Transaction_Log_Corrected_And_Rescinded_Data")
	if len(entries) == 0 && len(undone) == 0 {
		return nil, &source.Error{Reason: source.ReasonSchema, Field: "Transaction_Log_Entry_Data",
			Text: "is missing: without it nothing says what happened (Include_Transaction_Log_Data)"}
	}
	var events []hr.Event
	void := make(map[string]bool) // WIDs of transactions that were rescinded or corrected, and of rescinds
	for _, group := range undone {
		said, refusal := s.undo(w, group, void)
		if refusal != nil {
			return nil, refusal
		}
		events = append(events, said...)
	}
	for _, entry := range entries {
		t := transactionOf(entry)
		if void[t.wid] && t.wid != "" {
			continue
		}
		if entry.truth("Transaction_Log_Data", "Is_Rescind_Or_Rescinded") {
			return nil, &source.Error{Reason: source.ReasonSchema, Field: "Is_Rescind_Or_Rescinded",
				Text: "is true, and Transaction_Log_Corrected_And_Rescinded_Data does not say which transaction is rescinded: include it"}
		}
		e, refusal := s.event(w, t)
		if refusal != nil {
			return nil, refusal
		}
		events = append(events, e)
		if ended, ok := s.endedBesides(w, e); ok {
			events = append(events, ended)
		}
	}
	return events, nil
}

// endedBesides returns a termination to add to a hire: somebody who was hired may have left
// by the time at which the record was made. It returns false if there is none to add.
func (s *system) endedBesides(w worker, e hr.Event) (hr.Event, bool) {
	if e.Type != hr.EventHired && e.Type != hr.EventRehired {
		return hr.Event{}, false
	}
	status := statusOf(w)
	f := w.main()
	last := f.LastDate("Termination_Date")
	if !status.terminated || last.IsZero() || last.Compare(e.Effective) < 0 {
		return hr.Event{}, false
	}
	ended := e
	ended.ID += "-ended"
	ended.Type, ended.Profile, ended.Effective = hr.EventTerminated, nil, last
	ended.Termination = termination(f, status.node, last)
	return ended, f.Err() == nil
}

// status holds what a record says about whether somebody is employed.
type status struct {
	node       *node
	terminated bool // the record says that the worker is terminated
	active     bool // the record says that the worker is active
	inactive   bool // the record says that the worker is not active
}

func statusOf(w worker) status {
	n := w.element.at("Worker_Data", "Employment_Data", "Worker_Status_Data")
	return status{
		node: n, terminated: n.truth("Terminated"),
		active: n.truth("Active"), inactive: n.said("Active") != "" && !n.truth("Active"),
	}
}

// typeBy returns the type of a transaction's event, given the record that comes with it.
// The record counts more than the name of the process: somebody who is not active any more,
// or whose termination date has passed, has left. A process with an unknown name is an
// update, and an error if the record does not say that the worker is active.
func (s *system) typeBy(w worker, process string, e hr.Event) (hr.EventType, *source.Error) {
	st := statusOf(w)
	kind, known := s.typeOf(process, st.node.truth("Rehire"))
	switch kind {
	case hr.EventHired, hr.EventRehired, hr.EventTerminated:
		return kind, nil
	}
	f := w.main()
	hired, left := f.LastDate("Hire_Date"), f.LastDate("Termination_Date")
	if refusal := f.Err(); refusal != nil {
		return "", refusal
	}
	begun := hired.IsZero() || hired.Compare(e.Effective) <= 0
	passed := !left.IsZero() && left.Compare(hr.DateOf(e.Recorded)) < 0 && left.Compare(hired) >= 0
	switch {
	case st.terminated, st.inactive && begun, passed && !st.active:
		return hr.EventTerminated, nil
	case passed:
		return "", &source.Error{Reason: source.ReasonSchema, Field: "Termination_Date", Urgent: true, Person: w.id,
			Text: "has passed, and the worker is said to be active: have the record corrected in Workday"}
	case !known && !st.active:
		return "", &source.Error{Reason: source.ReasonSchema, Field: "Transaction_Log_Type_Reference", Urgent: true, Person: w.id,
			Text: "names a business process that is not known, and nothing says whether the worker is active: " +
				"map it (settings.transactions), or include Worker_Status_Data (Include_Employment_Information)"}
	}
	return kind, nil
}

// undo returns the events for the rescinds and corrections of one transaction: a rescind of
// it and, for a correction, the corrected event.
func (s *system) undo(w worker, group *node, void map[string]bool) ([]hr.Event, *source.Error) {
	main := group.first("Main_Transaction_Data")
	if main == nil {
		return nil, &source.Error{Reason: source.ReasonSchema, Field: "Main_Transaction_Data", Text: "is missing: nothing says what is rescinded or corrected"}
	}
	t := transactionOf(main)
	if t.wid == "" {
		return nil, &source.Error{Reason: source.ReasonSchema, Field: "Main_Transaction_Data", Text: "has no WID: nothing says what is rescinded or corrected"}
	}
	void[t.wid] = true
	var events []hr.Event
	for _, change := range group.all("Correction_Or_Rescind_Data") {
		by := transaction{
			wid: change.at("Transaction_Log_Reference").id("WID"), process: t.process,
			effective: t.effective, recorded: change.said("Transaction_Entry_Moment"),
		}
		void[by.wid] = true
		rescind, refusal := s.base(w, by)
		if refusal != nil {
			return nil, refusal
		}
		rescind.Type, rescind.Rescinds = hr.EventRescinded, s.idOf(w, t)
		if !change.truth("Is_Correction") {
			events = append(events, rescind)
			continue
		}
		corrected, refusal := s.event(w, by)
		if refusal != nil {
			return nil, refusal
		}
		rescind.ID += "-undo"
		rescind.Sequence, corrected.Sequence = "1", "2"
		events = append(events, rescind, corrected)
	}
	return events, nil
}

// idOf returns a transaction's ID: its WID, or else a digest of its content.
func (s *system) idOf(w worker, t transaction) string {
	if t.wid != "" && len(t.wid) <= 64 {
		return t.wid
	}
	return source.Digest("workday", w.id, t.process, t.effective, t.recorded)
}

// base returns an event with the fields that every event of a transaction has.
func (s *system) base(w worker, t transaction) (hr.Event, *source.Error) {
	f := source.NewFields(map[string]string{"Transaction_Effective_Moment": t.effective, "Transaction_Entry_Moment": t.recorded, "WID": t.wid})
	e := hr.Event{
		EventKey:  hr.EventKey{Source: s.mapping.Name, ID: s.idOf(w, t)},
		PersonID:  w.id,
		Effective: f.RequiredDate("Transaction_Effective_Moment", "it says since when something is so"),
	}
	f.Text("WID") // rejects a WID that cannot be kept
	at, ok := source.ParseInstant(f.Text("Transaction_Entry_Moment"))
	if !ok {
		f.Reject("Transaction_Entry_Moment", "is not an instant with its offset")
	}
	e.Recorded = at
	return e, f.Err()
}

// event returns the event of a transaction.
func (s *system) event(w worker, t transaction) (hr.Event, *source.Error) {
	e, refusal := s.base(w, t)
	if refusal != nil {
		return hr.Event{}, refusal
	}
	status := statusOf(w).node
	f := w.main()
	if e.Type, refusal = s.typeBy(w, t.process, e); refusal != nil {
		return hr.Event{}, refusal
	}
	switch e.Type {
	case hr.EventTerminated:
		e.Termination = termination(f, status, e.Effective)
	case hr.EventLeaveStarted:
		leave := source.NewFields(map[string]string{"Estimated_Leave_End_Date": status.first("Leave_Status_Data").first("Estimated_Leave_End_Date").said()})
		e.Leave = &hr.Leave{ExpectedReturn: leave.LastDate("Estimated_Leave_End_Date")}
		refusal = leave.Err()
	case hr.EventLeaveEnded:
	default:
		e.Profile = s.profile(w, f)
		if (e.Type == hr.EventHired || e.Type == hr.EventRehired) && !e.Profile.StartDate.IsZero() {
			e.Effective = e.Profile.StartDate
		}
		refusal = s.checkSnapshot(w, e)
		if endsJob(t.process) { // only a list of jobs can say which one
			e.Additional = &hr.AdditionalJobs{AsOf: e.Effective.AddDays(1)}
		}
	}
	if f.Err() != nil {
		return hr.Event{}, f.Err()
	}
	return e, refusal
}

// checkSnapshot refuses a transaction that takes effect after the snapshot.
func (s *system) checkSnapshot(w worker, e hr.Event) *source.Error {
	f := source.NewFields(map[string]string{"As_Of_Effective_Date": w.asOf})
	asOf := f.Date("As_Of_Effective_Date")
	if !asOf.IsZero() && e.Effective.Compare(asOf) > 0 {
		f.Reject("As_Of_Effective_Date", "is before the transaction takes effect, so the data are not what it changes them to: ask for the worker as of its effective date")
	}
	return f.Err()
}

func termination(f *source.Fields, status *node, effective hr.Date) *hr.Termination {
	last := effective
	for _, name := range []string{"Termination_Date", "Contract_End_Date", "Termination_Last_Day_of_Work"} {
		if day := f.LastDate(name); !day.IsZero() {
			last = day
		}
	}
	t := &hr.Termination{LastDay: last, Reason: status.first("Primary_Termination_Reason_Reference").id("Termination_Subcategory_ID")}
	if status.at("Termination_Involuntary") != nil {
		voluntary := !status.truth("Termination_Involuntary")
		t.Voluntary = &voluntary
	}
	return t
}
