// Package provisioning measures the product against one server that is running already: people are
// hired, moved and dismissed by HR's events, and the time counts until their accounts are proven.
// What it does to the server can be done by other products too, from the same file: the server is
// read, reset and its requests are counted without any code of the product.
//
// RunMany takes the same people through several numbers of workers and starters on PostgreSQL, and
// counts how they get in each other's way.
package provisioning
