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
		members []string
		do      handler
	}{
		{"POST /admin/directory/v1/users", userMembers, s.insertUser},
		{"GET /admin/directory/v1/users", none, s.listUsers},
		{"GET /admin/directory/v1/users/{user}", none, s.getUser},
		{"PUT /admin/directory/v1/users/{user}", userMembers, s.updateUser},
		{"PATCH /admin/directory/v1/users/{user}", userMembers, s.updateUser},
		{"DELETE /admin/directory/v1/users/{user}", none, s.deleteUser},
		{"POST /admin/directory/v1/users/{user}/undelete", []string{"orgUnitPath"}, s.undeleteUser},
		{"POST /admin/directory/v1/users/{user}/signOut", none, s.signOut},
		{"POST /admin/directory/v1/users/{user}/aliases", []string{"alias", "etag", "id", "kind", "primaryEmail"}, s.insertAlias},
		{"DELETE /admin/directory/v1/users/{user}/aliases/{alias}", none, s.deleteAlias},
		{"GET /admin/directory/v1/users/{user}/tokens", none, s.listTokens},
		{"DELETE /admin/directory/v1/users/{user}/tokens/{client}", none, s.deleteToken},
		{"GET /admin/directory/v1/users/{user}/asps", none, s.listPasswords},
		{"DELETE /admin/directory/v1/users/{user}/asps/{code}", none, s.deletePassword},
		{"POST /admin/directory/v1/users/{user}/verificationCodes/invalidate", none, s.invalidateCodes},
		{"POST /admin/directory/v1/users/{user}/twoStepVerification/turnOff", none, s.turnOff},
		{"GET /admin/directory/v1/groups", none, s.listGroups},
		{"GET /admin/directory/v1/groups/{group}", none, s.getGroup},
		{"GET /admin/directory/v1/groups/{group}/members", none, s.listMembers},
		{"POST /admin/directory/v1/groups/{group}/members", memberMembers, s.insertMember},
		{"GET /admin/directory/v1/groups/{group}/members/{member}", none, s.getMember},
		{"PUT /admin/directory/v1/groups/{group}/members/{member}", memberMembers, s.updateMember},
		{"DELETE /admin/directory/v1/groups/{group}/members/{member}", none, s.deleteMember},
		{"GET /admin/directory/v1/customer/{customer}/roles", none, s.listRoles},
		{"GET /admin/directory/v1/customer/{customer}/roleassignments", none, s.listAssignments},
		{"POST /admin/directory/v1/customer/{customer}/roleassignments", assignmentMembers, s.insertAssignment},
		{"DELETE /admin/directory/v1/customer/{customer}/roleassignments/{id}", none, s.deleteAssignment},
		{"GET /admin/datatransfer/v1/applications", none, s.listApplications},
		{"GET /admin/datatransfer/v1/transfers", none, s.listTransfers},
		{"POST /admin/datatransfer/v1/transfers", transferMembers, s.insertTransfer},
		{"GET /admin/datatransfer/v1/transfers/{id}", none, s.getTransfer},
		{"GET /apps/licensing/v1/product/{product}/sku/{sku}/users", none, s.listLicences},
		{"POST /apps/licensing/v1/product/{product}/sku/{sku}/user", []string{"userId"}, s.insertLicence},
		{"GET /apps/licensing/v1/product/{product}/sku/{sku}/user/{user}", none, s.getLicence},
		{"PATCH /apps/licensing/v1/product/{product}/sku/{sku}/user/{user}", []string{"skuId", "productId", "userId", "kind", "etags"}, s.patchLicence},
		{"DELETE /apps/licensing/v1/product/{product}/sku/{sku}/user/{user}", none, s.deleteLicence},
	} {
		mux.Handle(route.pattern, s.handle(route.members, route.do))
	}
	return mux
}
