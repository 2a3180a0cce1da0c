// Package zoom connects apps of kind "zoom": a Zoom account's users, groups and roles, by version
// 2 of its REST API (https://developers.zoom.us/docs/api/users/ and .../accounts/) with a
// Server-to-Server OAuth app (https://developers.zoom.us/docs/internal-apps/s2s-oauth/).
//
// A user is the address: Zoom's paths take an ID, an address, or "me" for whoever owns the app,
// so what an answer shows is compared with what was asked for. Deleting a user means to let them
// go with a free account and all their data, unless the request says otherwise ("Delete a user").
package zoom
