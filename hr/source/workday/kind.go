package workday

import (
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/internal/remote"
	"github.com/tenurehq/tenure/internal/settings"
)

// Kind is the catalog's entry.
var Kind = source.Kind{
	Name:    "workday",
	Summary: "Workday's Get_Workers_Response, as an integration sends it",
	Key:     key,
	Settings: append(source.MappingSettings("/workday"),
		settings.Setting{Name: "transactions", Type: settings.TypeMap, Text: "Maps business processes to hired, rehired, transferred, updated, converted, leave_started, leave_ended or terminated, in addition to those that Tenure knows. All others are updates."},
		settings.Setting{Name: "url", Type: settings.TypeText, Text: "URL of the tenant's Staffing web service (https://HOST/ccx/service/TENANT/Staffing/v44.1), to fetch workers whom a record only names."},
		remote.Plaintext,
		settings.Setting{Name: "username", Type: settings.TypeText, Text: "Integration system user, with its tenant: ISU_Tenure@TENANT."},
		settings.Setting{Name: "password", Type: settings.TypeSecret, Text: "Password of the integration system user."},
		settings.Setting{Name: "timeout", Type: settings.TypeDuration, Default: 30 * time.Second, Text: "How long one call of the web service may take."},
	),
	Connect: connect,
}

// words maps Workday's worker types, and the employee types of a new tenant, to person types.
var words = map[string]hr.PersonType{
	"Employee": hr.TypeEmployee, "Regular": hr.TypeEmployee, "Fixed_Term": hr.TypeEmployee, "Seasonal": hr.TypeTemporary,
	"Temporary": hr.TypeTemporary, "Intern": hr.TypeIntern, "Apprentice": hr.TypeIntern,
	"Contingent_Worker": hr.TypeContractor, "Contractor": hr.TypeContractor, "Independent_Contractor": hr.TypeContractor,
	"Consultant": hr.TypeContractor, "Vendor": hr.TypePartner,
}

// processes maps Workday's business processes to event types.
var processes = map[string]hr.EventType{
	"Hire Employee": hr.EventHired, "Hire": hr.EventHired, "Contract Contingent Worker": hr.EventHired,
	"Rehire":     hr.EventRehired,
	"Change Job": hr.EventTransferred, "Transfer Employee": hr.EventTransferred, "Promote Employee": hr.EventTransferred,
	"Terminate Employee": hr.EventTerminated, "Termination": hr.EventTerminated, "End Contingent Worker Contract": hr.EventTerminated,
	"Request Leave of Absence": hr.EventLeaveStarted, "Place Worker on Leave": hr.EventLeaveStarted,
	"Request Return from Leave of Absence": hr.EventLeaveEnded, "Return Worker from Leave": hr.EventLeaveEnded,
	"Convert Contingent Worker to Employee": hr.EventConverted,
	"Switch Primary Job":                    hr.EventTransferred,
	"Add Additional Job":                    hr.EventUpdated, "End Additional Job": hr.EventUpdated,
	"Start International Assignment": hr.EventUpdated, "Add International Assignment": hr.EventUpdated, "End International Assignment": hr.EventUpdated,
}

// types holds the words that the setting transactions may use.
var types = map[string]hr.EventType{
	"hired": hr.EventHired, "rehired": hr.EventRehired, "transferred": hr.EventTransferred, "updated": hr.EventUpdated,
	"converted": hr.EventConverted, "leave_started": hr.EventLeaveStarted, "leave_ended": hr.EventLeaveEnded,
	"terminated": hr.EventTerminated,
}

// system is one configured tenant.
type system struct {
	mapping   source.Mapping
	processes map[string]hr.EventType // by process, as the configuration writes it
	fetches   bool
}

func connect(set *settings.Values) (source.Source, error) {
	sys := &system{mapping: source.ReadMapping(set, words), processes: make(map[string]hr.EventType), fetches: set.Has("url")}
	for process, name := range set.Map("transactions") {
		kind, ok := types[name]
		if !ok {
			set.Reject("transactions", "must map business processes to hired, rehired, transferred, updated, converted, leave_started, leave_ended or terminated")
		}
		sys.processes[process] = kind
	}
	opened := source.Source{Decode: sys.decode, Snapshot: true}
	if !sys.fetches {
		return opened, nil
	}
	service := remote.HTTPURL(set, "url")
	for _, name := range []string{"username", "password"} {
		if !set.Has(name) {
			set.Reject(name, "is missing: url alone fetches nothing")
		}
	}
	opened.Fetch = (&fetcher{
		http: remote.NewHTTPClient(set.Duration("timeout")), answers: remote.NewAnswersOfHR(), url: service, username: set.Text("username"), password: set.Secret("password"),
	}).fetch
	return opened, nil
}

// typeOf returns the event type of a process, and reports whether the process is known.
func (s *system) typeOf(process string, rehire bool) (kind hr.EventType, known bool) {
	kind = hr.EventUpdated
	for name, usual := range processes {
		if source.SameWord(name, process) {
			kind, known = usual, true
		}
	}
	for name, configured := range s.processes {
		if source.SameWord(name, process) {
			kind, known = configured, true
		}
	}
	if kind == hr.EventHired && rehire {
		return hr.EventRehired, known
	}
	return kind, known
}
