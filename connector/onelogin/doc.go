// Package onelogin connects apps of kind "onelogin": a OneLogin account's users and roles, by
// its API (https://developers.onelogin.com/api-docs/2/getting-started/dev-overview). Users and
// the list of roles are version 2 of it; ending sessions and giving roles are version 1, since
// version 2 lets only credentials that may manage everything give roles.
//
// Whether somebody can sign in depends on two numbers: see statuses and states.
package onelogin
