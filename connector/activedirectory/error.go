package activedirectory

import (
	"errors"
	"regexp"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/directory"
)

// Active Directory says more in its diagnostics than in its result codes: they have a Win32
// error in hexadecimal before the first colon and, after a failed bind, another one after
// "data". See MS-ERREF section 2.2.
const (
	passwordRestriction = "0000052D" // ERROR_PASSWORD_RESTRICTION
	memberNotInGroup    = "00000529" // ERROR_MEMBER_NOT_IN_GROUP
	memberNotInAlias    = "00000561" // ERROR_MEMBER_NOT_IN_ALIAS, of domain local groups
	upnNotUnique        = "000021C8" // ERROR_DS_UPN_VALUE_NOT_UNIQUE_IN_FOREST
)

// bindProblems maps codes of Active Directory to why an account cannot bind.
var bindProblems = map[string]string{
	"525": "there is no such account: check the bindDN setting",
	"52e": "its password is wrong: check the bindDN and password settings",
	"530": "it may not sign in at this time of day: allow it",
	"531": "it may not sign in from this machine: allow it",
	"532": "its password has expired: renew it, and let it never expire",
	"533": "it is disabled: enable it",
	"701": "it has expired: let it never expire",
	"773": "it has to change its password first: do so, or clear that flag",
	"775": "it is locked out: unlock it, and find out who tries wrong passwords",
}

var bindData = regexp.MustCompile(`, data ([0-9a-f]+),`)

// refine returns an error with what Active Directory means by it. It does not repeat the
// server's own text, which contains DNs.
func refine(err error) error {
	var e *connector.Error
	result := directory.ResultOf(err)
	if result == nil || !errors.As(err, &e) {
		return err
	}
	refined := *e
	data := bindData.FindStringSubmatch(result.Diagnostic)
	switch {
	case result.Code == ldap.LDAPResultInvalidCredentials && data != nil && bindProblems[data[1]] != "":
		refined.Message = "Active Directory refuses the account that we bind as: " + bindProblems[data[1]]
	case win32(result, passwordRestriction):
		refined.Kind = connector.KindInvalid
		refined.Message = "Active Directory refuses the password that was made up, of 44 characters of all classes: relax the password policy (a filter, perhaps) for these accounts"
	case result.Code == ldap.LDAPResultInsufficientAccessRights:
		refined.Message = "the account that we bind as lacks a right: delegate what `tenure app kind activedirectory` lists on the OUs of accounts and groups"
	}
	return &refined
}

// win32 reports whether the result is one of these Win32 errors.
func win32(result *directory.ResultError, codes ...string) bool {
	if result == nil {
		return false
	}
	said := strings.ToUpper(result.Diagnostic)
	for _, code := range codes {
		if strings.Contains(said, code) {
			return true
		}
	}
	return false
}

// failed returns an error of the connector's own, with a cause if there is one.
func failed(op string, kind connector.ErrorKind, message string, cause error) error {
	return &connector.Error{Kind: kind, Op: op, Message: message, Cause: cause}
}
