package workday

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
)

// endings lists the business processes that end one job of somebody who stays. others lists
// those that change somebody's additional jobs in another way.
var (
	endings = []string{"End Additional Job", "End International Assignment"}
	others  = []string{"Add Additional Job", "Switch Primary Job", "Start International Assignment", "Add International Assignment"}
)

// endsJob reports whether a business process ends one job of several.
func endsJob(process string) bool {
	return slices.ContainsFunc(endings, func(name string) bool { return source.SameWord(name, process) })
}

// changesJobs reports whether a business process adds, changes or ends a job.
func changesJobs(process string) bool {
	return endsJob(process) || slices.ContainsFunc(others, func(name string) bool { return source.SameWord(name, process) })
}

// jobs returns the primary job and the additional jobs that the record lists.
func (w worker) jobs() (primary *node, additional []*node) {
	all := w.element.at("Worker_Data", "Employment_Data").all("Worker_Job_Data")
	if len(all) == 0 {
		return nil, nil
	}
	at := max(0, slices.IndexFunc(all, func(job *node) bool {
		primary := job.attrs["Primary_Job"]
		return primary == "1" || primary == "true"
	}))
	return all[at], slices.Delete(slices.Clone(all), at, at+1)
}

// list adds the record's list of additional jobs to the events that were entered last, since
// the record describes that time and no transaction says which job it is about. It adds
// nothing to a termination, which ends all jobs.
func (s *system) list(w worker, events []hr.Event) ([]hr.Event, *source.Error) {
	primary, besides := w.jobs()
	if primary == nil || !w.allJobs && len(besides) == 0 {
		return events, nil // the record was requested without additional jobs: there may be others
	}
	newest := entered(events)
	if slices.ContainsFunc(newest, func(e *hr.Event) bool { return e.Type == hr.EventTerminated }) {
		return events, nil
	}
	list := &hr.AdditionalJobs{Whole: true}
	var refusal *source.Error
	if list.Jobs, refusal = s.additional(w, besides); refusal != nil {
		refusal.Person = w.id
		refusal.Urgent = slices.ContainsFunc(newest, func(e *hr.Event) bool { return e.Additional != nil })
		return nil, refusal
	}
	for _, e := range newest {
		day, refusal := w.day(e)
		if refusal != nil {
			return nil, refusal
		}
		if day.Compare(list.AsOf) > 0 {
			list.AsOf = day
		}
	}
	if len(newest) == 0 || len(list.Jobs) == 0 && !w.changesJobs() {
		for _, e := range newest {
			e.Additional = list
		}
		return events, nil
	}
	for _, e := range newest {
		if e.Type == hr.EventRescinded {
			e.Additional = list
		}
	}
	said, refusal := s.listing(w, *newest[len(newest)-1], *list)
	if refusal != nil {
		return nil, refusal
	}
	return append(events, said), nil
}

// entered returns the events that were entered last.
func entered(events []hr.Event) (newest []*hr.Event) {
	for i := range events {
		e := &events[i]
		if len(newest) > 0 && e.Recorded.After(newest[0].Recorded) {
			newest = nil
		}
		if len(newest) == 0 || e.Recorded.Equal(newest[0].Recorded) {
			newest = append(newest, e)
		}
	}
	return newest
}

// changesJobs reports whether one of the record's transactions adds, changes or ends a job.
func (w worker) changesJobs() bool {
	data := w.element.at("Worker_Data")
	for _, name := range []string{"Transaction_Log_Entry", "Main_Transaction_Data"} {
		if slices.ContainsFunc(data.all(name), func(n *node) bool { return changesJobs(transactionOf(n).process) }) {
			return true
		}
	}
	return false
}

// listing returns a separate event for a list of jobs. The transaction that the list goes
// with may be known already, from a record with no list or another one.
func (s *system) listing(w worker, with hr.Event, list hr.AdditionalJobs) (hr.Event, *source.Error) {
	text, err := json.Marshal(list.Jobs)
	if err != nil {
		return hr.Event{}, &source.Error{Reason: source.ReasonSchema, Field: "Worker_Job_Data", Text: "cannot be kept"}
	}
	list.With = with.ID
	f := w.main()
	e := hr.Event{
		EventKey: hr.EventKey{Source: with.Source, ID: with.ID + "-jobs-" + source.Digest(string(text))},
		Type:     hr.EventUpdated, PersonID: w.id, Recorded: with.Recorded, Effective: list.AsOf, Profile: s.profile(w, f),
		// It orders lists after the other events of the same moment, and by day.
		Sequence:   "3" + strings.ReplaceAll(list.AsOf.String(), "-", ""),
		Additional: &list,
	}
	return e, f.Err()
}

// day returns the day as of which the record is. If the record does not say, it is the
// event's effective date or the day on which the event was entered, whichever is later.
func (w worker) day(e *hr.Event) (hr.Date, *source.Error) {
	f := source.NewFields(map[string]string{"As_Of_Effective_Date": w.asOf})
	day := f.Date("As_Of_Effective_Date")
	if day.IsZero() {
		day = hr.DateOf(e.Recorded)
		if e.Effective.Compare(day) > 0 {
			day = e.Effective
		}
	}
	return day, f.Err()
}

// additional returns the additional jobs of a worker.
func (s *system) additional(w worker, jobs []*node) (list []hr.AdditionalJob, refusal *source.Error) {
	for _, job := range jobs {
		said, refusal := s.job(w, job)
		if refusal != nil {
			return nil, refusal
		}
		if slices.ContainsFunc(list, func(j hr.AdditionalJob) bool { return j.PositionID == said.PositionID }) {
			return nil, &source.Error{Reason: source.ReasonSchema, Field: "Position_ID", Text: "is that of two jobs of one worker: nothing tells them apart"}
		}
		list = append(list, said)
	}
	return list, nil
}

// job returns one additional job.
func (s *system) job(w worker, job *node) (hr.AdditionalJob, *source.Error) {
	f := w.fields(job, job.at("Position_Organizations_Data").all("Position_Organization_Data"))
	const advice = "include references and employment information (Include_Reference, Include_Employment_Information)"
	said := hr.AdditionalJob{PositionID: f.Required("Position_ID", "nothing tells which job is meant: "+advice)}
	profile := s.profile(w, f)
	profile.StartDate = f.RequiredDate("Start_Date", "it says since when somebody holds an additional job: "+advice)
	profile.EndDate = f.LastDate("End_Employment_Date of the job")
	if profile.EndDate.IsZero() {
		profile.EndDate = f.LastDate("End_Date")
	}
	said.Profile = *profile
	return said, f.Err()
}
