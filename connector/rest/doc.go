// Package rest is the client by which connectors call the REST APIs of vendors that do not
// speak SCIM. It does what all of them need: it authorizes and paces each request, sends JSON
// or a form, reads answers in bounded memory, follows pages on the configured host only, and
// turns each failure into an error of the connectors' contract.
//
// What differs by vendor is data: a Vendor says where the codes are in the body of an error,
// and a table of Rules says what each means. A 404 is NotFound only by such a rule, since
// proxies and gateways answer 404 too.
//
// Like every connector, it does not retry. It sends a request twice only if the token was
// refused and there is another one.
package rest
