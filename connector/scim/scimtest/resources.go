package scimtest

import (
	"encoding/json"
	"errors"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// maxPage is the largest number of resources in one list.
	maxPage = 200
	// maxBody is the largest request body that the service reads, in bytes.
	maxBody = 1 << 20
)

// reply holds a successful answer. Its body shares nothing that changes later, so that
// it is sent with no lock held.
type reply struct {
	status   int
	etag     string
	location string
	body     any // nil for none
}

func (a reply) send(w http.ResponseWriter) {
	if a.etag != "" {
		w.Header().Set("ETag", a.etag)
	}
	if a.location != "" {
		w.Header().Set("Location", a.location)
	}
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	write(w, a.status, a.body)
}

// endpoint answers one kind of request.
type endpoint func(r *http.Request, t resourceType) (reply, error)

func (s *Service) resourceRoutes(mux *http.ServeMux, t resourceType) {
	one := t.endpoint + "/{id}"
	for pattern, answer := range map[string]endpoint{
		"GET " + t.endpoint:               s.list,
		"POST " + t.endpoint:              s.post,
		"GET " + one:                      s.get,
		"PUT " + one:                      s.put,
		"PATCH " + one:                    s.patch,
		"DELETE " + one:                   s.delete,
		"POST " + t.endpoint + "/.search": s.search,
		t.endpoint:                        s.notAllowed,
		one:                               s.notAllowed,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			d := s.deviations()
			err := d.refuses(r, t)
			var done reply
			if err == nil && changes(r) && r.Method != http.MethodPost && s.faults.conflicts() {
				err = &failure{status: http.StatusConflict, detail: "the resource was changed concurrently"}
			}
			if err == nil {
				done, err = answer(r, t)
			}
			if d.NoVersions {
				done.etag = ""
			}
			var f *failure
			if errors.As(err, &f) && d.BareConflicts && f.status == http.StatusConflict {
				f.scimType = ""
			}
			switch {
			case d.PlainNotFound && f != nil && f.status == http.StatusNotFound:
				writePlainNotFound(w)
			case err != nil:
				writeError(w, err)
			case changes(r) && s.faults.failsAfterApply(w):
			default:
				done.send(w)
			}
		})
	}
}

// changes reports whether a request changes something if it succeeds.
func changes(r *http.Request) bool {
	return r.Method != http.MethodGet && r.Method != http.MethodHead && !strings.HasSuffix(r.URL.Path, "/.search")
}

func (s *Service) notAllowed(r *http.Request, t resourceType) (reply, error) {
	return reply{}, s.deviations().notAllowed(r, t)
}

func (s *Service) list(r *http.Request, t resourceType) (reply, error) {
	return s.listed(r, r.URL.Query(), t)
}

// listed returns a page of the resources of some types. query holds the parameters of
// RFC 7644 section 3.4.2.
func (s *Service) listed(r *http.Request, query url.Values, types ...resourceType) (reply, error) {
	d := s.deviations()
	start, err := d.start(query)
	if err != nil {
		return reply{}, err
	}
	most := d.pageMax()
	count, err := number(query.Get("count"), most)
	if err != nil {
		return reply{}, err
	}
	start, count = max(start, 1), min(max(count, 0), most)
	wanted := newProjection(query.Get("attributes"), query.Get("excludedAttributes"))

	s.mu.RLock()
	defer s.mu.RUnlock()
	total := 0
	resources := make([]map[string]any, 0, count)
	for _, t := range types {
		found, err := s.found(query.Get("filter"), t, len(types) > 1)
		if err != nil {
			return reply{}, err
		}
		from := min(max(start-1-total, 0), len(found))
		total += len(found)
		for _, record := range found[from:min(from+count-len(resources), len(found))] {
			resources = append(resources, d.inList(t, s.render(s.store.of(t), record, baseOf(r), wanted)))
		}
	}
	return reply{status: http.StatusOK, body: d.paged(query, start, total, resources, len(resources))}, nil
}

// found returns the resources of a type that match a filter. among is set if the search
// covers several types: then a type that does not know the filter's attribute has no
// match, and that is no error (RFC 7644 section 3.4.2.1).
func (s *Service) found(text string, t resourceType, among bool) ([]*record, error) {
	d := s.deviations()
	var filter expression
	if text != "" {
		var err error
		if filter, err = parseFilter(text, t); err != nil && among {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
	}
	if err := d.allows(filter); err != nil {
		return nil, err
	}
	heeds, all := d.hears(filter)
	switch {
	case all:
		filter = nil
	case !heeds:
		return nil, nil
	}
	found := s.store.search(s.store.of(t), filter)
	if d.InactiveUnlisted && t.name == userType.name {
		found = slices.DeleteFunc(slices.Clone(found), func(r *record) bool { return r.attrs["active"] == false })
	}
	return found, nil
}

func number(text string, fallback int) (int, error) {
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0, badRequest("invalidValue", "%q is no number", text)
	}
	return int(n), nil
}

func (s *Service) post(r *http.Request, t resourceType) (reply, error) {
	attrs, members, err := resourceIn(r, t, s.deviations())
	if err != nil {
		return reply{}, err
	}
	if _, given := attrs["active"]; !given && t.name == userType.name {
		attrs["active"] = true
	}
	check := s.deviations().newUser
	if t.name == groupType.name {
		check = func(attrs map[string]any) error { return lacking(attrs, s.deviations().OfGroups) }
	}
	if err := check(attrs); err != nil {
		return reply{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.store.of(t)
	if err := s.store.unique(c, "", attrs); err != nil {
		return reply{}, err
	}
	if err := s.store.areUsers(members); err != nil {
		return reply{}, err
	}
	record := s.store.insert(c, attrs, time.Now())
	for _, user := range members {
		record.addMember(s.store, user)
	}
	s.changed()
	created := s.changedUser(r, c, record)
	created.status, created.location = http.StatusCreated, baseOf(r)+t.endpoint+"/"+record.id
	return created, nil
}

func (s *Service) get(r *http.Request, t resourceType) (reply, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := s.store.of(t)
	record, ok := c.byID[r.PathValue("id")]
	if !ok {
		return reply{}, notFound(r.PathValue("id"))
	}
	if r.Header.Get("If-None-Match") == record.etag() {
		return reply{status: http.StatusNotModified, etag: record.etag()}, nil
	}
	return s.show(r, c, record), nil
}

func (s *Service) put(r *http.Request, t resourceType) (reply, error) {
	attrs, members, err := resourceIn(r, t, s.deviations())
	if err != nil {
		return reply{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, record, err := s.locked(r, t)
	if err != nil {
		return reply{}, err
	}
	if err := s.store.unique(c, record.id, attrs); err != nil {
		return reply{}, err
	}
	if err := s.store.areUsers(members); err != nil {
		return reply{}, err
	}
	if err := s.deviations().user(attrs); err != nil {
		return reply{}, err
	}
	if s.endedBy(c, record, attrs) {
		return s.ended(r, c, record), nil
	}
	s.store.replace(c, record, attrs)
	s.store.removeMembers(record, nil)
	for _, user := range members {
		record.addMember(s.store, user)
	}
	s.touch(record)
	return s.changedUser(r, c, record), nil
}

// changedUser returns a user as changed, and then forgets the attributes that the fault
// switches name.
func (s *Service) changedUser(r *http.Request, c *collection, record *record) reply {
	shown := s.show(r, c, record)
	s.forget(c, record)
	return shown
}

// patch changes a resource: it applies all of the operations or none. It does not send a
// group back, since that may have thousands of members (RFC 7644 section 3.5.2 leaves
// that to the service).
func (s *Service) patch(r *http.Request, t resourceType) (reply, error) {
	var body patchRequest
	if err := decode(r, &body); err != nil {
		return reply{}, err
	}
	if !slices.Contains(body.Schemas, patchSchema) || len(body.Operations) == 0 {
		return reply{}, badRequest("invalidSyntax", "a PATCH needs the schema %s and operations", patchSchema)
	}
	operations, err := s.deviations().operations(body.Operations)
	if err != nil {
		return reply{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, record, err := s.locked(r, t)
	if err != nil {
		return reply{}, err
	}
	attrs, memberships, err := s.store.patched(c, record, operations)
	if err == nil {
		err = s.store.unique(c, record.id, attrs)
	}
	if err == nil && c == s.store.users {
		err = s.deviations().user(attrs)
	}
	if err != nil {
		memberships.undo()
		return reply{}, err
	}
	if s.endedBy(c, record, attrs) {
		return s.ended(r, c, record), nil
	}
	s.store.replace(c, record, attrs)
	s.touch(record)
	if t.name == groupType.name {
		return reply{status: http.StatusNoContent, etag: record.etag()}, nil
	}
	return s.changedUser(r, c, record), nil
}

func (s *Service) delete(r *http.Request, t resourceType) (reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, record, err := s.locked(r, t)
	if err != nil {
		return reply{}, err
	}
	if s.deviations().DeleteDeactivates && c == s.store.users {
		attrs := deepCopy(record.attrs)
		attrs["active"] = false
		s.store.replace(c, record, attrs)
		s.touch(record)
		return reply{status: http.StatusNoContent}, nil
	}
	s.store.remove(c, record.id)
	s.changed()
	return reply{status: http.StatusNoContent}, nil
}

// ended returns the answer to a change that deleted a user.
func (s *Service) ended(r *http.Request, c *collection, record *record) reply {
	if !s.deviations().EndedShown {
		return reply{status: http.StatusNoContent}
	}
	shown := s.show(r, c, record)
	if user, ok := shown.body.(map[string]any); ok {
		user["active"] = false
	}
	return shown
}

// endedBy deletes a user if attrs make it inactive and the service deletes inactive
// users. It reports whether it did.
func (s *Service) endedBy(c *collection, r *record, attrs map[string]any) bool {
	if !s.deviations().ActiveFalseDeletes || c != s.store.users || attrs["active"] != false {
		return false
	}
	s.store.remove(c, r.id)
	s.changed()
	return true
}

// locked finds the resource that a change is about, and checks If-Match.
func (s *Service) locked(r *http.Request, t resourceType) (*collection, *record, error) {
	c := s.store.of(t)
	record, ok := c.byID[r.PathValue("id")]
	if !ok {
		return nil, nil, notFound(r.PathValue("id"))
	}
	if want := r.Header.Get("If-Match"); want != "" && want != "*" && want != record.etag() && !s.deviations().NoVersions {
		return nil, nil, &failure{status: http.StatusPreconditionFailed, scimType: "invalidVers", detail: "the resource has changed"}
	}
	return c, record, nil
}

func (s *Service) touch(r *record) {
	r.version++
	r.modified = time.Now()
	s.changed()
}

func (s *Service) show(r *http.Request, c *collection, record *record) reply {
	query := r.URL.Query()
	wanted := newProjection(query.Get("attributes"), query.Get("excludedAttributes"))
	return reply{status: http.StatusOK, etag: record.etag(), body: s.render(c, record, baseOf(r), wanted)}
}

// resourceIn reads a whole resource from a request. It returns the members of a group
// apart from the other attributes.
func resourceIn(r *http.Request, t resourceType, d Deviations) (attrs map[string]any, members []string, err error) {
	var body map[string]any
	if err := decode(r, &body); err != nil {
		return nil, nil, err
	}
	if d.TextBooleans {
		fromText(body)
	}
	if err := declared(body, t); err != nil {
		return nil, nil, err
	}
	body = maps.Clone(body)
	delete(body, "schemas")
	if attrs, err = canonical(t.attributes, body, false); err != nil {
		return nil, nil, err
	}
	if err := t.complete(attrs); err != nil {
		return nil, nil, err
	}
	if members, err = memberIDs(attrs["members"]); err != nil {
		return nil, nil, err
	}
	delete(attrs, "members")
	return attrs, members, nil
}

// declared checks that a resource names the schemas that it uses, and no others
// (RFC 7643 section 3).
func declared(body map[string]any, t resourceType) error {
	list, _ := body["schemas"].([]any)
	if !slices.Contains(list, any(t.schema)) {
		return badRequest("invalidSyntax", "schemas must hold %s", t.schema)
	}
	for _, schema := range list {
		name, _ := schema.(string)
		if _, extension := find(t.attributes, name); !extension && name != t.schema {
			return badRequest("invalidValue", "schema %v is not known", schema)
		}
	}
	if _, used := body[enterpriseSchema]; used && !slices.Contains(list, any(enterpriseSchema)) {
		return badRequest("invalidSyntax", "schemas must hold %s", enterpriseSchema)
	}
	return nil
}

func decode(r *http.Request, into any) error {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if media != "application/scim+json" && media != "application/json" {
		return &failure{status: http.StatusUnsupportedMediaType, detail: "content type must be application/scim+json"}
	}
	err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxBody)).Decode(into)
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return &failure{status: http.StatusRequestEntityTooLarge, detail: "the request is too large"}
	}
	if err != nil {
		return badRequest("invalidSyntax", "the body is no JSON object: %v", err)
	}
	return nil
}

// baseOf returns the URL of the service as the client sees it.
func baseOf(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host + BasePath
}
