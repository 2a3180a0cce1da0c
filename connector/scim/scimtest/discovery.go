package scimtest

import (
	"net/http"
	"slices"
)

// discoveryRoutes serves the endpoints of RFC 7644 section 4.
func (s *Service) discoveryRoutes(mux *http.ServeMux) {
	serve := func(path string, body func(base string) any) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			if path == "/ResourceTypes" && s.deviations().NoResourceTypes {
				writeError(w, &failure{status: http.StatusNotFound, detail: "no such endpoint"})
				return
			}
			write(w, http.StatusOK, body(baseOf(r)))
		})
		mux.HandleFunc(path, onlyGet)
	}
	serve("/ServiceProviderConfig", func(base string) any { return s.deviations().serviceProviderConfig(base) })
	types := map[string]func(base string) any{
		userType.name:  func(base string) any { return describeType(userType, base, enterpriseSchema) },
		groupType.name: func(base string) any { return describeType(groupType, base) },
	}
	serveAll(mux, serve, "/ResourceTypes", types, s.resourceTypes)
	serveAll(mux, serve, "/Schemas", map[string]func(base string) any{
		userSchema:  func(base string) any { return describeSchema(userSchema, "User", userAttributes, base) },
		groupSchema: func(base string) any { return describeSchema(groupSchema, "Group", groupAttributes, base) },
		enterpriseSchema: func(base string) any {
			return describeSchema(enterpriseSchema, "EnterpriseUser", enterpriseAttributes, base)
		},
	}, func() []string { return []string{userSchema, groupSchema, enterpriseSchema} })
}

// onlyGet refuses the other methods of a discovery endpoint.
func onlyGet(w http.ResponseWriter, r *http.Request) {
	writeError(w, &failure{status: http.StatusMethodNotAllowed, detail: r.Method + " is not allowed", allow: []string{"GET", "HEAD"}})
}

// resourceTypes returns the names of the resource types that the service has.
func (s *Service) resourceTypes() []string {
	if s.deviations().NoGroups {
		return []string{userType.name}
	}
	return []string{userType.name, groupType.name}
}

// serveAll serves resources one by one and as a list. order returns the IDs in the order
// of the list.
func serveAll(mux *http.ServeMux, serve func(string, func(string) any), path string, all map[string]func(base string) any, order func() []string) {
	serve(path, func(base string) any {
		ids := order()
		resources := make([]any, 0, len(ids))
		for _, id := range ids {
			resources = append(resources, all[id](base))
		}
		return map[string]any{
			"schemas": []string{listSchema}, "totalResults": len(ids),
			"startIndex": 1, "itemsPerPage": len(ids), "Resources": resources,
		}
	})
	mux.HandleFunc("GET "+path+"/{id}", func(w http.ResponseWriter, r *http.Request) {
		one, ok := all[r.PathValue("id")]
		if !ok || !slices.Contains(order(), r.PathValue("id")) {
			writeError(w, notFound(r.PathValue("id")))
			return
		}
		write(w, http.StatusOK, one(baseOf(r)))
	})
}

func (d Deviations) serviceProviderConfig(base string) any {
	supported := func(is bool) map[string]any { return map[string]any{"supported": is} }
	return map[string]any{
		"schemas":        []string{"urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"},
		"patch":          supported(!d.NoPatch && !d.PatchNotAllowed),
		"bulk":           map[string]any{"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
		"filter":         map[string]any{"supported": true, "maxResults": d.pageMax()},
		"changePassword": supported(false),
		"sort":           supported(false),
		"etag":           supported(true),
		"pagination":     map[string]any{"cursor": d.CursorPaging, "index": !d.CursorPaging},
		"authenticationSchemes": []any{map[string]any{
			"type": "oauthbearertoken", "name": "Bearer token", "description": "One token, in the Authorization header", "primary": true,
		}},
		"meta": map[string]any{"resourceType": "ServiceProviderConfig", "location": base + "/ServiceProviderConfig"},
	}
}

func describeType(t resourceType, base string, extensions ...string) any {
	list := make([]any, 0, len(extensions)) // never nil: the list is sent even if empty
	for _, schema := range extensions {
		list = append(list, map[string]any{"schema": schema, "required": false})
	}
	return map[string]any{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:ResourceType"},
		"id":      t.name, "name": t.name, "endpoint": t.endpoint, "schema": t.schema, "schemaExtensions": list,
		"meta": map[string]any{"resourceType": "ResourceType", "location": base + "/ResourceTypes/" + t.name},
	}
}

func describeSchema(id, name string, attributes []attribute, base string) any {
	return map[string]any{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Schema"},
		"id":      id, "name": name, "attributes": attributes,
		"meta": map[string]any{"resourceType": "Schema", "location": base + "/Schemas/" + id},
	}
}

// valueRoutes serves the lists of roles and entitlements, if Deviations.ValueLists is
// set.
func (s *Service) valueRoutes(mux *http.ServeMux) {
	for endpoint, of := range map[string]func(Deviations) []string{
		"/Roles":        func(d Deviations) []string { return d.Roles },
		"/Entitlements": func(d Deviations) []string { return d.Entitlement },
	} {
		mux.HandleFunc("GET "+endpoint, func(w http.ResponseWriter, _ *http.Request) {
			d := s.deviations()
			if !d.ValueLists {
				writeError(w, &failure{status: http.StatusNotFound, detail: "no such endpoint"})
				return
			}
			values := of(d)
			resources := make([]any, 0, len(values))
			for _, value := range values {
				resources = append(resources, map[string]any{"id": value, "displayName": value})
			}
			write(w, http.StatusOK, map[string]any{
				"schemas": []string{listSchema}, "totalResults": len(values), "Resources": resources,
			})
		})
	}
}
