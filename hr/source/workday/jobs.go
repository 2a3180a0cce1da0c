package workday

import (
	"slices"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
)

// endings are the business processes that end one job of somebody who stays.
var endings = []string{"End Additional Job", "End International Assignment"}

// endsJob reports whether a business process ends one job of several.
func endsJob(process string) bool {
	return slices.ContainsFunc(endings, func(name string) bool { return source.SameWord(name, process) })
}

// jobs are the jobs that the record lists, the primary one apart.
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

// list adds what the record lists of additional jobs to the event that was entered last:
// the record is as it was then. Which job a transaction is of, none of them says. A
// termination ends all of them.
func (s *system) list(w worker, events []hr.Event) *source.Error {
	primary, others := w.jobs()
	if primary == nil || !w.allJobs && len(others) == 0 {
		return nil // there may be others, which the record was not asked for with
	}
	var newest []*hr.Event
	for i := range events {
		e := &events[i]
		if len(newest) > 0 && e.Recorded.After(newest[0].Recorded) {
			newest = nil
		}
		if len(newest) == 0 || e.Recorded.Equal(newest[0].Recorded) {
			newest = append(newest, e)
		}
	}
	if slices.ContainsFunc(newest, func(e *hr.Event) bool { return e.Type == hr.EventTerminated }) {
		return nil
	}
	jobs, refusal := s.additional(w, others)
	if refusal != nil {
		refusal.Person = w.id
		refusal.Urgent = slices.ContainsFunc(newest, func(e *hr.Event) bool { return e.Additional != nil })
		return refusal
	}
	var asOf hr.Date
	for _, e := range newest {
		day, refusal := w.day(e)
		if refusal != nil {
			return refusal
		}
		if day.Compare(asOf) > 0 {
			asOf = day
		}
	}
	for _, e := range newest {
		e.Additional = &hr.AdditionalJobs{AsOf: asOf, Jobs: jobs, Whole: true}
	}
	return nil
}

// day is the day as of which the record is. If it does not say, it is as of the event or,
// if that is later, of when the event was entered.
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

// additional are the jobs of a worker besides the primary one.
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

// job is one additional job.
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
