package connector

// The names of the operations, as Error.Op has them.
const (
	OpOpen             = "open"
	OpFind             = "find"
	OpRead             = "read"
	OpCheck            = "check"
	OpCreate           = "create"
	OpAdopt            = "adopt"
	OpUpdate           = "update"
	OpRelabel          = "relabel"
	OpDisable          = "disable"
	OpEnable           = "enable"
	OpDelete           = "delete"
	OpGrant            = "grant"
	OpRevoke           = "revoke"
	OpRevokeSessions   = "revoke_sessions"
	OpResetCredentials = "reset_credentials" //nolint:gosec // the name of an operation
	OpHandOver         = "hand_over"
	OpList             = "list"
	OpListEntitlements = "list_entitlements"
	OpProbe            = "probe"
)
