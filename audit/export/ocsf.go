package export

import "fmt"

// ocsfVersion is the version of the schema.
const ocsfVersion = "1.8.0"

// The attributes of OCSF that we fill in. Their names and types are the schema's.
type (
	ocsfEvent struct {
		ActivityID   int            `json:"activity_id"`
		ActivityName string         `json:"activity_name"`
		CategoryUID  int            `json:"category_uid"`
		CategoryName string         `json:"category_name"`
		ClassUID     class          `json:"class_uid"`
		ClassName    string         `json:"class_name"`
		TypeUID      int            `json:"type_uid"`
		TypeName     string         `json:"type_name"`
		SeverityID   int            `json:"severity_id"`
		Severity     string         `json:"severity"`
		StatusID     int            `json:"status_id"`
		Status       string         `json:"status"`
		Time         int64          `json:"time"` // milliseconds
		Message      string         `json:"message"`
		Metadata     ocsfMetadata   `json:"metadata"`
		Actor        ocsfActor      `json:"actor"`
		User         *ocsfUser      `json:"user,omitempty"`
		Privileges   []string       `json:"privileges,omitempty"`
		Resources    []ocsfResource `json:"resources,omitempty"`
		Entity       *ocsfEntity    `json:"entity,omitempty"`
		Unmapped     ocsfUnmapped   `json:"unmapped"`
	}
	ocsfMetadata struct {
		Version        string      `json:"version"`
		Product        ocsfProduct `json:"product"`
		UID            string      `json:"uid"`
		Sequence       int64       `json:"sequence"`
		LogName        string      `json:"log_name"`
		EventCode      string      `json:"event_code,omitempty"`
		CorrelationUID string      `json:"correlation_uid,omitempty"`
	}
	ocsfProduct struct {
		Name       string `json:"name"`
		VendorName string `json:"vendor_name"`
		Version    string `json:"version"`
	}
	ocsfActor struct {
		AppName string    `json:"app_name,omitempty"`
		User    *ocsfUser `json:"user,omitempty"`
	}
	ocsfUser struct {
		UID    string `json:"uid"`
		Name   string `json:"name,omitempty"`
		Domain string `json:"domain,omitempty"`
	}
	ocsfResource struct {
		Name string `json:"name"`
		Type string `json:"type"`
	}
	ocsfEntity struct {
		Name   string    `json:"name"`
		Type   string    `json:"type"`
		TypeID int       `json:"type_id"`
		User   *ocsfUser `json:"user,omitempty"`
	}
	ocsfUnmapped struct {
		Tenure line `json:"tenure"`
	}
)

// classNames are the names of classes, and activityNames those of their activities.
var (
	classNames    = map[class]string{classAccount: "Account Change", classEntity: "Entity Management", classAccess: "User Access Management"}
	activityNames = map[class]map[int]string{
		classAccount: {accountCreate: "Create", accountEnable: "Enable", accountDisable: "Disable", accountDelete: "Delete"},
		classEntity: {
			entityCreate: "Create", entityRead: "Read", entityUpdate: "Update", entityDelete: "Delete",
			entitySuspend: "Suspend", entityResume: "Resume",
		},
		classAccess: {accessAssign: "Assign Privileges", accessRevoke: "Revoke Privileges"},
	}
	severityNames = map[int]string{informational: "Informational", low: "Low", medium: "Medium", high: "High"}
)

// renderOCSF returns an event for what was done, and one more for each way in which entitlements
// went: granted and revoked.
func renderOCSF(r Record, version string) (events [][]byte) {
	k := kindOf(r)
	var all []ocsfEvent
	if k.class == classAccount && r.Row.Person == "" { // whose account it is, is not known
		k.class, k.activity, k.entity = classEntity, otherActivity, "account"
	}
	if k.class == classAccount {
		all = accessEvents(r, k)
	}
	// An update of entitlements, or their withdrawal, is that and nothing else.
	if len(all) == 0 || k.activity != otherActivity {
		e := newOCSF(r, k)
		e.describe(r, k)
		all = append([]ocsfEvent{e}, all...)
	}
	for i, e := range all {
		e.Metadata.UID = r.partID(i)
		e.Metadata.Product.Version = version
		events = append(events, encoded(e))
	}
	return events
}

// accessEvents returns what the record says of entitlements.
func accessEvents(r Record, k kind) (events []ocsfEvent) {
	fields := r.fields()
	for _, way := range []struct {
		field    string
		activity int
	}{{"granted", accessAssign}, {"revoked", accessRevoke}} {
		list, _ := fields[way.field].([]any)
		var names []string
		for _, one := range list {
			if name, ok := one.(string); ok {
				names = append(names, name)
			}
		}
		if len(names) == 0 {
			continue
		}
		e := newOCSF(r, kind{classAccess, way.activity, k.title, "", k.severity})
		e.User, e.Privileges = r.user(), names
		if r.Row.App != "" {
			e.Resources = []ocsfResource{{r.Row.App, "app"}}
		}
		events = append(events, e)
	}
	return events
}

// describe says what the event is about.
func (e *ocsfEvent) describe(r Record, k kind) {
	if k.class == classAccount {
		e.User = r.user()
		return
	}
	e.Entity = &ocsfEntity{Name: r.name(k), Type: k.entity, TypeID: otherActivity}
	if r.Row.Person != "" {
		e.Entity.User = r.user()
	}
	if k.entity == ofPerson && r.Row.Person != "" {
		e.Entity.Type, e.Entity.TypeID = "User", 2
	}
}

// name returns a name of what the record is about, which its detail may number.
func (r Record) name(k kind) string {
	fields := r.fields()
	for _, field := range []string{k.entity, "item", "id"} {
		switch v := fields[field].(type) {
		case string:
			if v != "" {
				return v
			}
		case float64:
			return fmt.Sprintf("%s %.0f", k.entity, v)
		}
	}
	for _, name := range []string{r.Row.Key, r.Row.App} {
		if name != "" {
			return name
		}
	}
	return fmt.Sprintf("row %d", r.Row.Seq)
}

// user returns the person whom the record is about, with the app as their domain.
func (r Record) user() *ocsfUser { return &ocsfUser{UID: r.Row.Person, Domain: r.Row.App} }

func newOCSF(r Record, k kind) ocsfEvent {
	name, captions := classNames[k.class], activityNames[k.class]
	typed, known := captions[k.activity]
	activity := typed
	if !known { // OCSF has other activities named by whoever has them
		typed, activity = "Other", k.title
	}
	e := ocsfEvent{
		ActivityID: k.activity, ActivityName: activity, CategoryUID: 3, CategoryName: "Identity & Access Management",
		ClassUID: k.class, ClassName: name, TypeUID: int(k.class)*100 + k.activity, TypeName: name + ": " + typed,
		SeverityID: k.severity, Severity: severityNames[k.severity], StatusID: 1, Status: "Success",
		Time: r.Time().UnixMilli(), Message: k.title,
		Metadata: ocsfMetadata{
			Version: ocsfVersion, Product: ocsfProduct{Name: product, VendorName: vendor},
			Sequence: r.Leaf.N, LogName: r.Origin, EventCode: r.Row.Action, CorrelationUID: r.Row.Key,
		},
		Actor:    r.actor(),
		Unmapped: ocsfUnmapped{r.line()},
	}
	return e
}

// actor returns who did it: the product, or an operator.
func (r Record) actor() ocsfActor {
	if r.Row.Actor == tenure || r.Row.Actor == "" {
		return ocsfActor{AppName: product}
	}
	return ocsfActor{AppName: product, User: &ocsfUser{UID: r.Row.Actor, Name: r.Row.Login}}
}
