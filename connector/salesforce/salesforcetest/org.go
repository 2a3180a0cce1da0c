package salesforcetest

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tenurehq/tenure/connector/vendortest"
)

// Options says how an org is.
type Options struct {
	ClientID, ClientSecret string
	// Username, with Key, is whose assertions the org takes: see checkAssertion.
	Username string
	Key      any // public key
	Audience string
	Groups   []string // public groups, by API name
	Sets     []string // permission sets; NAMESPACE__NAME for those of a package
	SetGroup []string // permission set groups
	Licences map[string]int
	Fields   []string // further fields of User
}

// Profiles are the profiles of each org.
var Profiles = []string{"Standard User", "System Administrator"}

// row is a record. It has every field that is not empty.
type row map[string]any

// Org is a Salesforce org.
type Org struct {
	options Options

	mu       sync.Mutex
	schema   map[string]object
	tables   map[string][]row
	last     int
	token    string
	tokens   int
	views    map[string][]map[string]any // the rest of a query's rows, by locator
	switches Switches
	rights   map[string]bool
	now      func() time.Time
	door     *vendortest.Door
}

// New returns an org.
func New(options Options) *Org {
	o := &Org{
		options: options, schema: maps.Clone(schema), tables: map[string][]row{}, token: "00Dx!first",
		views: map[string][]map[string]any{}, rights: map[string]bool{}, now: time.Now,
	}
	o.door = vendortest.New(http.HandlerFunc(o.serve), vendortest.Options{Refuse: refuseRequest, Class: class})
	user := o.schema["User"]
	user.fields += " " + strings.Join(options.Fields, " ")
	o.schema["User"] = user
	for _, right := range strings.Fields(rights) {
		o.rights[right] = true
	}
	o.add("Organization", row{"Name": "Acme", "IsSandbox": true})
	for i, name := range Profiles {
		licence := o.add("UserLicense", row{"Name": "Salesforce" + strings.Repeat(" Admin", i), "Status": "Active", "TotalLicenses": 100000, "UsedLicenses": 1})
		profile := o.add("Profile", row{"Name": name, "UserLicenseId": licence})
		o.add("PermissionSet", row{"Name": "X" + profile, "IsOwnedByProfile": true, "Type": "Profile"})
	}
	o.add("UserRole", row{"Name": "Sales Team", "DeveloperName": "SalesTeam"})
	for _, name := range options.Groups {
		o.add("Group", row{"Name": name + " (label)", "DeveloperName": name, "Type": "Regular"})
		o.add("Group", row{"Name": name + " queue", "DeveloperName": name, "Type": "Queue"})
	}
	for _, name := range options.Sets {
		set := row{"Name": name, "IsOwnedByProfile": false, "Type": "Regular"}
		if space, own, found := strings.Cut(name, "__"); found {
			set["NamespacePrefix"], set["Name"] = space, own
		}
		o.add("PermissionSet", set)
	}
	for _, name := range options.SetGroup {
		o.add("PermissionSetGroup", row{"DeveloperName": name, "Status": "Updated"})
		o.add("PermissionSet", row{"Name": name, "IsOwnedByProfile": false, "Type": "Group"})
	}
	for _, name := range slices.Sorted(maps.Keys(options.Licences)) {
		o.add("PermissionSetLicense", row{"DeveloperName": name, "Status": "Active", "TotalLicenses": options.Licences[name], "UsedLicenses": 0})
	}
	return o
}

// add stores a record, and returns its ID. The caller holds the lock, or is the only one.
func (o *Org) add(object string, r row) string {
	o.last++
	id := fmt.Sprintf("%s000000%06dAAA", o.schema[object].prefix, o.last)
	r["Id"] = id
	o.tables[object] = append(o.tables[object], r)
	return id
}

// find returns a record by its ID; nil if there is none.
func (o *Org) find(object, id string) row {
	for _, r := range o.tables[object] {
		if r["Id"] == id {
			return r
		}
	}
	return nil
}

// AddUser adds a user as an administrator would, even if its external ID, in the field of that
// name, is another user's too. It returns the ID.
func (o *Org) AddUser(username, field, externalID string, active bool) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := row{"Username": username, "LastName": username, "Email": username, "Alias": "x", "IsActive": active, "ProfileId": o.tables["Profile"][0]["Id"]}
	if externalID != "" {
		r[field] = externalID
	}
	return o.addUser(r)
}

// addUser stores a user with all that goes with one: sign-in settings, a session, a token, and
// the permission set of the profile.
func (o *Org) addUser(r row) string {
	r["UserType"], r["CreatedDate"] = "Standard", o.now().UTC().Format("2006-01-02T15:04:05.000+0000")
	id := o.add("User", r)
	o.add("UserLogin", row{"UserId": id, "IsFrozen": false, "IsPasswordLocked": false})
	o.add("PermissionSetAssignment", row{"AssigneeId": id, "PermissionSetId": o.tables["PermissionSet"][0]["Id"]})
	o.signIn(id)
	return id
}

// signIn begins a session of a user, and gives an app a token of theirs.
func (o *Org) signIn(id string) {
	o.last++
	o.add("AuthSession", row{"UsersId": id, "SessionType": "UI"})
	o.add("OauthToken", row{"UserId": id, "DeleteToken": fmt.Sprint("delete-", o.last), "AppName": "Outlook"})
}

// User returns the fields of a user, with IsFrozen.
func (o *Org) User(id string) map[string]any {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.find("User", id)
	if r == nil {
		return nil
	}
	shown := maps.Clone(r)
	for _, login := range o.tables["UserLogin"] {
		if login["UserId"] == id {
			shown["IsFrozen"] = login["IsFrozen"]
		}
	}
	return shown
}

// Set changes fields of a user as an administrator would.
func (o *Org) Set(id string, fields map[string]any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	maps.Copy(o.find("User", id), fields)
}

// Sessions returns how many sessions and tokens of a user there are.
func (o *Org) Sessions(id string) (sessions, tokens int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.where("AuthSession", "UsersId", id)), len(o.where("OauthToken", "UserId", id))
}

func (o *Org) where(object, field string, value any) []row {
	return slices.DeleteFunc(slices.Clone(o.tables[object]), func(r row) bool { return r[field] != value })
}

// Allow gives the user of the connection a right, or takes it: "ViewAllUsers".
func (o *Org) Allow(right string, allowed bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rights["Permissions"+right] = allowed
}

// Calls returns how often each request was made: "GET query User", "PATCH User".
func (o *Org) Calls() map[string]int { return o.door.Counts() }

// refusal is an error as Salesforce tells it.
type refusal struct {
	status        int
	code, message string
	fields        []string
}

func refuse(status int, code, format string, args ...any) *refusal {
	return &refusal{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

var emailForm = regexp.MustCompile(`^[^\s@]+@[^\s@]+\.[^\s@]+$`)

// check returns what is wrong with the fields of a record that is created, or of the record
// with this ID that is changed.
func (o *Org) check(object, id string, fields map[string]any) *refusal {
	known := o.schema[object]
	for name, value := range fields {
		has, required := known.has(name)
		switch text, _ := value.(string); {
		case !has:
			return refuse(http.StatusBadRequest, "INVALID_FIELD", "No such column '%s' on sobject of type %s", name, object)
		case slices.Contains(readOnly, name):
			return refuse(http.StatusBadRequest, "INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: %s", name)
		case value == "":
			return refuse(http.StatusBadRequest, "INVALID_FIELD", "the stand-in wants null for a field without a value: %s", name)
		case value == nil && required:
			return refuse(http.StatusBadRequest, "REQUIRED_FIELD_MISSING", "Required fields are missing: [%s]", name)
		case (name == "Username" || name == "Email") && !emailForm.MatchString(text):
			return refuse(http.StatusBadRequest, "INVALID_EMAIL_ADDRESS", "%s: invalid email address: %s", name, text)
		case len([]rune(text)) > cmp.Or(longest[name], 80):
			return refuse(http.StatusBadRequest, "STRING_TOO_LONG", "%s: data value too large: %s", name, text)
		}
		if of, isID := known.relations[strings.TrimSuffix(name, "Id")]; isID && value != nil && o.find(of, fmt.Sprint(value)) == nil {
			return refuse(http.StatusBadRequest, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
		}
	}
	return o.checkUnique(object, id, fields)
}

// duplicates holds the codes for values that have to be unique.
var duplicates = map[string]string{"Username": "DUPLICATE_USERNAME"}

func (o *Org) checkUnique(object, id string, fields map[string]any) *refusal {
	for _, names := range o.schema[object].unique {
		key := func(r map[string]any) string {
			var values []string
			for _, name := range strings.Fields(names) {
				if value := r[name]; value != nil {
					values = append(values, strings.ToLower(fmt.Sprint(value)))
				}
			}
			return strings.Join(values, " ")
		}
		wanted := key(fields)
		if wanted == "" {
			continue
		}
		for _, other := range o.tables[object] {
			if other["Id"] != id && key(other) == wanted {
				code := duplicates[names]
				if code == "" {
					code = "DUPLICATE_VALUE"
				}
				return refuse(http.StatusBadRequest, code, "duplicate value found: %s duplicates value on record with id: %s, %s", names, other["Id"], wanted)
			}
		}
	}
	return nil
}

// Remake deletes a public group, and makes another one of the same name.
func (o *Org) Remake(group string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tables["Group"] = slices.DeleteFunc(o.tables["Group"], func(r row) bool { return r["DeveloperName"] == group && r["Type"] == "Regular" })
	o.add("Group", row{"Name": group, "DeveloperName": group, "Type": "Regular"})
}
