package salesforcetest

import "strings"

// object is an object of Salesforce, as far as the stand-in knows it.
type object struct {
	prefix    string            // of its IDs
	fields    string            // all fields, separated by spaces; those with ! are required on creation
	relations map[string]string // name -> object that the field NAMEId refers to
	unique    []string          // fields with unique values
	calls     string            // of c(reate), u(pdate), d(elete)
}

const rights = "PermissionsManageUsers PermissionsViewAllUsers PermissionsViewSetup PermissionsAssignPermissionSets"

// schema has the names of Salesforce's Object Reference. A test holds them to the field names
// of a published schema.
var schema = map[string]object{
	"User": {
		prefix: "005",
		fields: "Id Username! LastName! FirstName Name Email! Alias! CommunityNickname TimeZoneSidKey! LocaleSidKey! EmailEncodingKey! LanguageLocaleKey! " +
			"ProfileId! UserRoleId IsActive UserType CreatedDate LastLoginDate FederationIdentifier EmployeeNumber Title Department Division CompanyName " +
			"Phone MobilePhone Fax Extension Street City State PostalCode Country ManagerId",
		relations: map[string]string{"Profile": "Profile", "UserRole": "UserRole", "Manager": "User"},
		unique:    []string{"Username", "FederationIdentifier"},
		calls:     "cu",
	},
	"UserLogin":            {prefix: "0Yw", fields: "Id UserId IsFrozen IsPasswordLocked", relations: map[string]string{"User": "User"}, calls: "u"},
	"AuthSession":          {prefix: "0Ak", fields: "Id UsersId ParentId SessionType CreatedDate", calls: "d"},
	"OauthToken":           {prefix: "0CQ", fields: "Id UserId DeleteToken AppName", relations: map[string]string{"User": "User"}},
	"Profile":              {prefix: "00e", fields: "Id Name UserLicenseId", relations: map[string]string{"UserLicense": "UserLicense"}},
	"UserRole":             {prefix: "00E", fields: "Id Name DeveloperName"},
	"UserLicense":          {prefix: "100", fields: "Id Name LicenseDefinitionKey Status TotalLicenses UsedLicenses"},
	"PermissionSet":        {prefix: "0PS", fields: "Id Name Label NamespacePrefix IsOwnedByProfile Type LicenseId"},
	"PermissionSetGroup":   {prefix: "0PG", fields: "Id DeveloperName MasterLabel NamespacePrefix Status"},
	"PermissionSetLicense": {prefix: "0PL", fields: "Id DeveloperName MasterLabel Status TotalLicenses UsedLicenses"},
	"Group":                {prefix: "00G", fields: "Id Name DeveloperName Type"},
	"PermissionSetAssignment": {
		prefix: "0Pa", fields: "Id AssigneeId! PermissionSetId PermissionSetGroupId", calls: "cd",
		relations: map[string]string{"Assignee": "User", "PermissionSet": "PermissionSet", "PermissionSetGroup": "PermissionSetGroup"},
		unique:    []string{"AssigneeId PermissionSetId PermissionSetGroupId"},
	},
	"PermissionSetLicenseAssign": {
		prefix: "2LA", fields: "Id AssigneeId! PermissionSetLicenseId!", calls: "cd",
		relations: map[string]string{"Assignee": "User", "PermissionSetLicense": "PermissionSetLicense"},
		unique:    []string{"AssigneeId PermissionSetLicenseId"},
	},
	"GroupMember": {
		prefix: "011", fields: "Id GroupId! UserOrGroupId!", calls: "cd",
		relations: map[string]string{"Group": "Group"},
		unique:    []string{"UserOrGroupId GroupId"},
	},
	"Organization":         {prefix: "00D", fields: "Id Name IsSandbox"},
	"UserPermissionAccess": {prefix: "000", fields: "Id " + rights},
}

// readOnly lists fields that nobody can write.
var readOnly = []string{"Id", "Name", "UserType", "CreatedDate", "LastLoginDate"}

// longest holds the lengths of fields; others take 80 characters.
var longest = map[string]int{
	"Username": 80, "Alias": 8, "FirstName": 40, "CommunityNickname": 40, "EmployeeNumber": 20, "Email": 128, "Street": 255,
	"FederationIdentifier": 512, "Title": 80, "Department": 80, "Phone": 40, "MobilePhone": 40,
}

// has reports whether the object has a field, and whether it is required on creation.
func (o object) has(field string) (known, required bool) {
	for _, name := range strings.Fields(o.fields) {
		if strings.TrimSuffix(name, "!") == field {
			return true, strings.HasSuffix(name, "!")
		}
	}
	return false, false
}
