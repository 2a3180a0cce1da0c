package googletest

import "net/http"

// The members that bodies may have: the schemas of the discovery documents.
var (
	userMembers = []string{
		"addresses", "agreedToTerms", "aliases", "archivalTime", "archived", "changePasswordAtNextLogin", "creationTime", "customSchemas", "customerId",
		"deletionTime", "emails", "etag", "externalIds", "gender", "guestAccountInfo", "hashFunction", "id", "ims", "includeInGlobalAddressList",
		"ipWhitelisted", "isAdmin", "isDelegatedAdmin", "isEnforcedIn2Sv", "isEnrolledIn2Sv", "isGuestUser", "isMailboxSetup", "keywords", "kind",
		"languages", "lastLoginTime", "locations", "name", "nonEditableAliases", "notes", "orgUnitPath", "organizations", "password", "phones",
		"posixAccounts", "primaryEmail", "recoveryEmail", "recoveryPhone", "relations", "sshPublicKeys", "suspended", "suspensionReason",
		"suspensionTime", "thumbnailPhotoEtag", "thumbnailPhotoUrl", "websites",
	}
	memberMembers     = []string{"delivery_settings", "email", "etag", "id", "kind", "role", "status", "type"}
	assignmentMembers = []string{"assignedTo", "assigneeType", "condition", "etag", "kind", "orgUnitId", "roleAssignmentId", "roleId", "scopeType"}
	transferMembers   = []string{"applicationDataTransfers", "etag", "id", "kind", "newOwnerUserId", "oldOwnerUserId", "overallTransferStatusCode", "requestTime"}
	none              = []string(nil)
)

// routes returns the paths of the APIs.
func (s *Service) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for _, route := range []struct {
		pattern string
		name    string
		members []string
		do      handler
	}{
		{"POST /admin/directory/v1/users", "users.insert", userMembers, s.insertUser},
		{"GET /admin/directory/v1/users", "users.list", none, s.listUsers},
		{"GET /admin/directory/v1/users/{user}", "users.get", none, s.getUser},
		{"PUT /admin/directory/v1/users/{user}", "users.update", userMembers, s.updateUser},
		{"PATCH /admin/directory/v1/users/{user}", "users.patch", userMembers, s.updateUser},
		{"DELETE /admin/directory/v1/users/{user}", "users.delete", none, s.deleteUser},
		{"POST /admin/directory/v1/users/{user}/undelete", "users.undelete", []string{"orgUnitPath"}, s.undeleteUser},
		{"POST /admin/directory/v1/users/{user}/signOut", "users.signOut", none, s.signOut},
		{"POST /admin/directory/v1/users/{user}/aliases", "aliases.insert", []string{"alias", "etag", "id", "kind", "primaryEmail"}, s.insertAlias},
		{"DELETE /admin/directory/v1/users/{user}/aliases/{alias}", "aliases.delete", none, s.deleteAlias},
		{"GET /admin/directory/v1/users/{user}/tokens", "tokens.list", none, s.listTokens},
		{"DELETE /admin/directory/v1/users/{user}/tokens/{client}", "tokens.delete", none, s.deleteToken},
		{"GET /admin/directory/v1/users/{user}/asps", "asps.list", none, s.listPasswords},
		{"DELETE /admin/directory/v1/users/{user}/asps/{code}", "asps.delete", none, s.deletePassword},
		{"POST /admin/directory/v1/users/{user}/verificationCodes/invalidate", "verificationCodes.invalidate", none, s.invalidateCodes},
		{"POST /admin/directory/v1/users/{user}/twoStepVerification/turnOff", "twoStepVerification.turnOff", none, s.turnOff},
		{"GET /admin/directory/v1/groups", "groups.list", none, s.listGroups},
		{"GET /admin/directory/v1/groups/{group}", "groups.get", none, s.getGroup},
		{"GET /admin/directory/v1/groups/{group}/members", "members.list", none, s.listMembers},
		{"POST /admin/directory/v1/groups/{group}/members", "members.insert", memberMembers, s.insertMember},
		{"GET /admin/directory/v1/groups/{group}/members/{member}", "members.get", none, s.getMember},
		{"PUT /admin/directory/v1/groups/{group}/members/{member}", "members.update", memberMembers, s.updateMember},
		{"DELETE /admin/directory/v1/groups/{group}/members/{member}", "members.delete", none, s.deleteMember},
		{"GET /admin/directory/v1/customer/{customer}/roles", "roles.list", none, s.listRoles},
		{"GET /admin/directory/v1/customer/{customer}/roleassignments", "roleAssignments.list", none, s.listAssignments},
		{"POST /admin/directory/v1/customer/{customer}/roleassignments", "roleAssignments.insert", assignmentMembers, s.insertAssignment},
		{"DELETE /admin/directory/v1/customer/{customer}/roleassignments/{id}", "roleAssignments.delete", none, s.deleteAssignment},
		{"GET /admin/datatransfer/v1/applications", "applications.list", none, s.listApplications},
		{"GET /admin/datatransfer/v1/transfers", "transfers.list", none, s.listTransfers},
		{"POST /admin/datatransfer/v1/transfers", "transfers.insert", transferMembers, s.insertTransfer},
		{"GET /admin/datatransfer/v1/transfers/{id}", "transfers.get", none, s.getTransfer},
		{"GET /apps/licensing/v1/product/{product}/sku/{sku}/users", "licenseAssignments.listForProductAndSku", none, s.listLicences},
		{"POST /apps/licensing/v1/product/{product}/sku/{sku}/user", "licenseAssignments.insert", []string{"userId"}, s.insertLicence},
		{"GET /apps/licensing/v1/product/{product}/sku/{sku}/user/{user}", "licenseAssignments.get", none, s.getLicence},
		{"PATCH /apps/licensing/v1/product/{product}/sku/{sku}/user/{user}", "licenseAssignments.patch", []string{"skuId", "productId", "userId", "kind", "etags"}, s.patchLicence},
		{"DELETE /apps/licensing/v1/product/{product}/sku/{sku}/user/{user}", "licenseAssignments.delete", none, s.deleteLicence},
	} {
		mux.Handle(route.pattern, s.handle(route.name, route.members, route.do))
	}
	return mux
}
