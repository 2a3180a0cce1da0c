package workday

import (
	"cmp"
	"strings"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
)

// worker is one Worker element.
type worker struct {
	element *node
	id      string // the person's ID
	kind    string // type of that ID: Employee_ID or Contingent_Worker_ID
	asOf    string // date as of which the data are; empty if the response has none
	allJobs bool   // the data were requested with additional jobs
}

// read finds the workers of a document.
func read(value []byte) ([]worker, *source.Error) {
	if len(value) == 0 {
		return nil, &source.Error{Reason: source.ReasonTombstone, Text: "has no value"}
	}
	document, refusal := parse(value)
	if refusal != nil {
		return nil, refusal
	}
	asOf := ""
	if filter := document.first("Response_Filter"); filter != nil {
		asOf = filter.said("As_Of_Effective_Date")
	}
	allJobs := document.first("Response_Group").truth("Include_Additional_Jobs")
	var workers []worker
	for _, element := range document.all("Worker") {
		w := worker{element: element, asOf: asOf, allJobs: allJobs}
		reference := element.at("Worker_Reference")
		for _, kind := range []string{"Employee_ID", "Contingent_Worker_ID"} {
			if id := reference.id(kind); id != "" && w.id == "" {
				w.id, w.kind = id, kind
			}
		}
		if !source.ValidID(w.id) {
			return nil, &source.Error{Reason: source.ReasonSchema, Field: "Worker_Reference",
				Text: "has no Employee_ID or Contingent_Worker_ID: include references (Include_Reference)"}
		}
		workers = append(workers, w)
	}
	if len(workers) == 0 {
		return nil, &source.Error{Reason: source.ReasonSchema, Text: "has no Worker element: this is no Get_Workers_Response"}
	}
	return workers, nil
}

// key finds the one worker that a record is about.
func key(r source.Record) string {
	workers, refusal := read(r.Value)
	if refusal != nil {
		return ""
	}
	for _, w := range workers {
		if w.id != workers[0].id {
			return ""
		}
	}
	return workers[0].id
}

// reference returns the reference by which a thin worker is fetched.
func (w worker) reference() string { return w.kind + "=" + w.id }

// main returns the worker's fields in the primary job.
func (w worker) main() *source.Fields {
	job, _ := w.jobs()
	return w.fields(job, w.element.at("Worker_Data", "Organization_Data").all("Worker_Organization_Data"))
}

// fields returns the worker's fields in one of their jobs, by the names of the elements.
func (w worker) fields(job *node, organizations []*node) *source.Fields {
	data := w.element.at("Worker_Data")
	name := data.at("Personal_Data", "Name_Data")
	legal := name.at("Legal_Name_Data", "Name_Detail_Data")
	position := job.at("Position_Data")
	site := position.at("Business_Site_Summary_Data")
	status := data.at("Employment_Data", "Worker_Status_Data")
	contract := data.at("Employment_Data", "Worker_Contract_Data")
	kind := position.at("Worker_Type_Reference").id("Employee_Type_ID", "Contingent_Worker_Type_ID")
	if kind == "" {
		kind = map[string]string{"Employee_ID": "Employee", "Contingent_Worker_ID": "Contingent_Worker"}[w.kind]
	}
	texts := map[string]string{
		"First_Name":                   legal.said("First_Name"),
		"Last_Name":                    legal.said("Last_Name"),
		"Preferred_Name":               name.at("Preferred_Name_Data", "Name_Detail_Data").said("First_Name"),
		"Worker_Type_Reference":        kind,
		"Business_Title":               position.said("Business_Title"),
		"Position_Title":               position.said("Position_Title"),
		"Location":                     site.said("Name"),
		"Country_Reference":            site.first("Country_Reference").id("ISO_3166-1_Alpha-2_Code"),
		"Manager":                      position.at("Manager_as_of_last_detected_manager_change_Reference").id("Employee_ID", "Contingent_Worker_ID"),
		"Hire_Date":                    status.said("Hire_Date"),
		"End_Employment_Date":          status.said("End_Employment_Date"),
		"Contract_End_Date":            contract.said("Contract_End_Date"),
		"Termination_Date":             status.said("Termination_Date"),
		"Termination_Last_Day_of_Work": status.said("Termination_Last_Day_of_Work"),
		"Contract_Start_Date":          contract.said("Contract_Start_Date"),

		"Position_ID":                    cmp.Or(position.said("Position_ID"), position.at("Position_Reference").id("Position_ID", "WID")),
		"Start_Date":                     position.said("Start_Date"),
		"End_Employment_Date of the job": position.said("End_Employment_Date"),
		"End_Date":                       position.said("End_Date"),
	}
	for _, org := range organizations {
		kind := strings.ToUpper(org.first("Organization_Type_Reference").id("Organization_Type_ID"))
		if kind != "" && texts["Organization "+kind] == "" {
			texts["Organization "+kind] = org.first("Organization_Name").said()
		}
	}
	for _, email := range data.at("Personal_Data", "Contact_Data").all("Email_Address_Data") {
		if usage := email.first("Type_Reference").id("Communication_Usage_Type_ID"); usage != "" && texts["Email "+usage] == "" {
			texts["Email "+usage] = email.said("Email_Address")
		}
	}
	return source.NewFields(texts)
}

// profile returns the snapshot of a worker.
func (s *system) profile(w worker, f *source.Fields) *hr.Profile {
	title := f.Text("Business_Title")
	if title == "" {
		title = f.Text("Position_Title")
	}
	start := "Hire_Date"
	if f.Text(start) == "" && f.Text("Contract_Start_Date") != "" {
		start = "Contract_Start_Date"
	}
	given, family := f.Names("First_Name", "Last_Name", "include personal information (Include_Personal_Information)")
	p := &hr.Profile{
		Type:           s.mapping.Type(f, "Worker_Type_Reference"),
		GivenName:      given,
		FamilyName:     family,
		PreferredName:  f.Text("Preferred_Name"),
		WorkEmail:      f.Text("Email WORK"),
		PersonalEmail:  f.Text("Email HOME"),
		EmployeeNumber: w.id,
		JobTitle:       title,
		Department:     f.Text("Organization SUPERVISORY"),
		CostCenter:     f.Text("Organization COST_CENTER"),
		Company:        f.Text("Organization COMPANY"),
		Location: hr.Location{
			Site:     f.Text("Location"),
			Country:  f.Text("Country_Reference"),
			TimeZone: s.mapping.Zone(f, "Location", f.Text("Location"), f.Text("Country_Reference")),
		},
		ManagerID: f.Reference("Manager"),
		StartDate: f.RequiredDate(start, "include employment information (Include_Employment_Information)"),
		EndDate:   f.LastDate("End_Employment_Date"),
	}
	if p.EndDate.IsZero() {
		p.EndDate = f.LastDate("Contract_End_Date")
	}
	return p
}
