package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/tenurehq/tenure/internal/remote"
)

// ResultError is a server's answer other than success. It is the cause of an error.
type ResultError struct {
	Code uint16 // RFC 4511 appendix A
	// Diagnostic is the server's own message. It may hold DNs and values: code may look at
	// it, but never prints it.
	Diagnostic string
}

func (r *ResultError) Error() string {
	name, ok := ldap.LDAPResultCodeMap[r.Code]
	if !ok {
		return fmt.Sprintf("the directory answered %d", r.Code)
	}
	return fmt.Sprintf("the directory answered %d (%s)", r.Code, name)
}

// ResultOf returns the result that err was made from, or nil.
func ResultOf(err error) *ResultError {
	var r *ResultError
	errors.As(err, &r)
	return r
}

// Is reports whether err was made from one of these result codes.
func Is(err error, codes ...uint16) bool {
	r := ResultOf(err)
	return r != nil && slices.Contains(codes, r.Code)
}

type meaning struct {
	kind   remote.Kind
	advice string
}

const (
	refusedValues = "it refused the values: check the attribute mappings against its schema"
	refusedName   = "it refused a DN: check the DNs in the settings"
	encryptFirst  = "it wants encryption: use ldaps://, or set startTLS"
	checkIndex    = "the search is more than it allows: index the attributes that accounts are found by, and raise its limits (size, time, paged results) for the bind DN"
)

// meanings maps result codes of RFC 4511 appendix A, and of later RFCs, to what they mean
// for a call about one account.
var meanings = map[uint16]meaning{
	ldap.LDAPResultProtocolError:                {remote.Unsupported, "it does not offer this"},
	ldap.LDAPResultTimeLimitExceeded:            {remote.Invalid, checkIndex},
	ldap.LDAPResultSizeLimitExceeded:            {remote.Invalid, checkIndex},
	ldap.LDAPResultAdminLimitExceeded:           {remote.Invalid, checkIndex},
	ldap.LDAPResultAuthMethodNotSupported:       {remote.Unauthorized, "it does not take simple binds: allow them, over TLS"},
	ldap.LDAPResultStrongAuthRequired:           {remote.Invalid, encryptFirst},
	ldap.LDAPResultConfidentialityRequired:      {remote.Invalid, encryptFirst},
	ldap.LDAPResultReferral:                     {remote.Invalid, "it sends us to another server: put that one's address into the url setting"},
	ldap.LDAPResultUnavailableCriticalExtension: {remote.Unsupported, "it does not offer a control that is needed"},
	ldap.LDAPResultNoSuchAttribute:              {remote.Conflict, "it was changed by somebody else meanwhile"},
	ldap.LDAPResultUndefinedAttributeType:       {remote.Invalid, refusedValues},
	ldap.LDAPResultInappropriateMatching:        {remote.Invalid, "it cannot look up by an attribute that it is asked for: check the settings"},
	ldap.LDAPResultConstraintViolation:          {remote.Invalid, refusedValues},
	ldap.LDAPResultAttributeOrValueExists:       {remote.Conflict, "the value is there already"},
	ldap.LDAPResultInvalidAttributeSyntax:       {remote.Invalid, refusedValues},
	ldap.LDAPResultNoSuchObject:                 {remote.NotFound, "it has no such entry"},
	ldap.LDAPResultInvalidDNSyntax:              {remote.Invalid, refusedName},
	ldap.LDAPResultInappropriateAuthentication:  {remote.Unauthorized, "it refuses the bind DN: check the bindDN setting"},
	ldap.LDAPResultInvalidCredentials:           {remote.Unauthorized, "it refuses the bind DN or its password: check the bindDN and password settings"},
	ldap.LDAPResultInsufficientAccessRights:     {remote.Forbidden, "the bind DN lacks a right: allow it to read and write people and groups"},
	ldap.LDAPResultBusy:                         {remote.Unavailable, "it is too busy"},
	ldap.LDAPResultUnavailable:                  {remote.Unavailable, "it is shutting down or not ready"},
	ldap.LDAPResultUnwillingToPerform:           {remote.Invalid, "it is not willing to do this: see its log; it may be read-only, or a policy of its own forbids it"},
	ldap.LDAPResultNamingViolation:              {remote.Invalid, refusedName},
	ldap.LDAPResultObjectClassViolation:         {remote.Invalid, "its schema forbids this: check the object classes and attribute mappings"},
	ldap.LDAPResultNotAllowedOnNonLeaf:          {remote.Invalid, "the entry has others below it: remove those first"},
	ldap.LDAPResultNotAllowedOnRDN:              {remote.Invalid, "the attribute names the entry: map another"},
	ldap.LDAPResultEntryAlreadyExists:           {remote.Exists, "it has such an entry already"},
	ldap.LDAPResultObjectClassModsProhibited:    {remote.Invalid, "its schema forbids this: check the object classes and attribute mappings"},
	ldap.LDAPResultAffectsMultipleDSAs:          {remote.Invalid, "it would move the entry to another server: keep people in one"},
	ldap.LDAPResultOther:                        {remote.Unavailable, "it has a problem of its own"},
	ldap.LDAPResultCanceled:                     {remote.Unavailable, "it gave up"},
	ldap.LDAPResultAssertionFailed:              {remote.Conflict, "it was changed by somebody else meanwhile"},
}

// firstOfOurs is the first of the codes with which go-ldap itself fails. No server sends them.
const firstOfOurs = ldap.ErrorNetwork

// asError returns the error of a call, made from go-ldap's error.
func asError(ctx context.Context, op string, err error, timeout time.Duration) *remote.Error {
	var said *ldap.Error
	answered := errors.As(err, &said) && said.ResultCode < firstOfOurs
	if !answered || ctx.Err() != nil {
		return unanswered(ctx, op, err, timeout)
	}
	result := &ResultError{Code: said.ResultCode}
	if said.Err != nil {
		result.Diagnostic = said.Err.Error()
	}
	m, ok := meanings[result.Code]
	if !ok {
		m = meaning{remote.Invalid, "it refused the request"}
	}
	return &remote.Error{Kind: m.kind, Op: op, Message: result.Error() + ": " + m.advice, Cause: result}
}

// unanswered returns the error of a call that the server did not answer in time. It drops
// go-ldap's error, which may hold addresses, unless it is an error of Tenure's own.
func unanswered(ctx context.Context, op string, err error, timeout time.Duration) *remote.Error {
	return &remote.Error{Kind: remote.Unavailable, Op: op, Message: remote.WhyUnanswered(ctx, err, "the directory", timeout), Cause: remote.Ended(ctx)}
}

// NotUnique reports whether err is a server's answer that another entry has a value which must
// be unique: code 19 with the text of OpenLDAP's unique overlay or of 389 Directory Server's
// attribute uniqueness plugin.
func NotUnique(err error) bool {
	r := ResultOf(err)
	if r == nil || r.Code != ldap.LDAPResultConstraintViolation {
		return false
	}
	said := strings.ToLower(r.Diagnostic)
	return strings.Contains(said, "not unique") || strings.Contains(said, "already exists")
}
