package relational

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

// Sightings implements ledger.Scans.
func (s *Store) Sightings(ctx context.Context, scan int64, after string, at time.Time, limit int) (page []ledger.Sighting, err error) {
	err = s.engine.Snapshot(ctx, func(now Reader) (err error) {
		page, err = s.sightings(ctx, now, scan, after, at, limit)
		return err
	})
	if err != nil {
		return nil, s.explain(fmt.Errorf("compare a page of scan %d: %w", scan, err))
	}
	return page, nil
}

func (s *Store) sightings(ctx context.Context, now Reader, scan int64, after string, at time.Time, limit int) ([]ledger.Sighting, error) {
	scans, err := list(ctx, now, `SELECT `+scanColumns+` FROM scans WHERE id = ?`, []any{scan}, scanDest)
	if err == nil && len(scans) == 0 {
		err = ledger.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	app := scans[0].App
	// Each part is limited, so that the rest of its table is not read for each page.
	ids, err := list(ctx, now, `SELECT account_id FROM (
			SELECT account_id FROM (SELECT account_id FROM observed WHERE app = ?1 AND account_id > ?2 ORDER BY account_id LIMIT ?3) AS o
			UNION SELECT account_id FROM (SELECT DISTINCT account_id FROM links WHERE app = ?1 AND account_id <> '' AND account_id > ?2 ORDER BY account_id LIMIT ?3) AS l
			UNION SELECT account_id FROM (SELECT DISTINCT account_id FROM findings WHERE app = ?1 AND ended_at IS NULL AND account_id > ?2 ORDER BY account_id LIMIT ?3) AS f
		) AS a ORDER BY account_id LIMIT ?3`,
		[]any{app, after, max(limit, 0)}, func(id *string) []any { return []any{id} })
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	page := make([]ledger.Sighting, len(ids))
	place := make(map[string]*ledger.Sighting, len(ids))
	for i, id := range ids {
		page[i].AccountID = id
		place[id] = &page[i]
	}
	within := []any{app, after, ids[len(ids)-1]}
	observed, err := list(ctx, now, `SELECT `+observedColumns+` FROM observed WHERE app = ? AND account_id > ? AND account_id <= ?`, within, observedDest)
	if err != nil {
		return nil, err
	}
	for i := range observed {
		place[observed[i].AccountID].Observed = &observed[i]
	}
	if err := readLinked(ctx, now, within, place); err != nil {
		return nil, err
	}
	findings, err := list(ctx, now, `SELECT `+findingColumns+` FROM findings WHERE app = ? AND account_id > ? AND account_id <= ? AND ended_at IS NULL ORDER BY id`,
		within, findingDest)
	if err != nil {
		return nil, err
	}
	for _, f := range findings {
		if sighting := place[f.AccountID]; sighting != nil {
			sighting.Findings = append(sighting.Findings, f)
		}
	}
	if err := readWork(ctx, now, app, at, page); err != nil {
		return nil, err
	}
	return page, s.readCandidates(ctx, now, app, at, page)
}

// readLinked reads the links to a page of accounts, and those whose account was deleted.
func readLinked(ctx context.Context, now Reader, within []any, place map[string]*ledger.Sighting) error {
	links, err := list(ctx, now, `SELECT `+linkColumns+` FROM links
		WHERE app = ? AND account_id > ? AND account_id <= ? AND account_id <> '' ORDER BY person_id`, within, linkDest)
	if err != nil {
		return err
	}
	binned, err := list(ctx, now, `SELECT `+linkColumns+` FROM links
		WHERE app = ? AND binned_id > ? AND binned_id <= ? AND binned_id <> '' AND account_id = '' ORDER BY person_id`, within, linkDest)
	if err != nil {
		return err
	}
	for _, l := range links {
		if sighting := place[l.AccountID]; sighting != nil {
			sighting.Links = append(sighting.Links, l)
		}
	}
	for _, l := range binned {
		if sighting := place[l.Binned.AccountID]; sighting != nil && len(sighting.Links) == 0 {
			sighting.Links = append(sighting.Links, l)
		}
	}
	return nil
}

// readWork reads what is under way for the people whose accounts a page has.
func readWork(ctx context.Context, now Reader, app string, at time.Time, page []ledger.Sighting) error {
	var ids []string
	for _, sighting := range page {
		for _, l := range sighting.Links {
			ids = append(ids, l.PersonID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	ids = sorted(ids)
	type work struct {
		person        string
		busy, working bool
		assessed      time.Time
	}
	all := map[string]work{}
	for some := range slices.Chunk(ids, chunk) {
		args := append([]any{app, at.UnixMicro()}, anys(some)...)
		rows, err := list(ctx, now, `SELECT p.id, p.assessed_at,
				CASE WHEN EXISTS (SELECT 1 FROM attempts a WHERE a.person_id = p.id AND a.app = ?1 AND a.deadline > ?2) THEN 1 ELSE 0 END,
				CASE WHEN EXISTS (SELECT 1 FROM steps s WHERE s.person_id = p.id AND s.app = ?1 AND s.state IN ('open', 'attention'))
					OR EXISTS (SELECT 1 FROM withdrawals w WHERE w.person_id = p.id AND w.state IN ('noticed', 'waiting', 'held')) THEN 1 ELSE 0 END
			FROM people p WHERE p.id IN (`+marks(len(some))+`)`,
			args, func(w *work) []any { return []any{&w.person, instant{&w.assessed}, &w.busy, &w.working} })
		if err != nil {
			return err
		}
		for _, w := range rows {
			all[w.person] = w
		}
	}
	for i := range page {
		for _, l := range page[i].Links {
			w := all[l.PersonID]
			page[i].Busy, page[i].Working, page[i].AssessedAt = page[i].Busy || w.busy, page[i].Working || w.working, w.assessed
		}
	}
	return nil
}

// chunk bounds how many parameters a query has.
const chunk = 200

// identified is somebody who is, or was, called by an identifier.
type identified struct {
	value     string
	candidate ledger.Candidate
}

// readCandidates reads whom the accounts of a page match that nobody's link names.
func (s *Store) readCandidates(ctx context.Context, now Reader, app string, at time.Time, page []ledger.Sighting) error {
	keys := map[ledger.IdentifierKind][]string{}
	for i := range page {
		if o := page[i].Observed; o != nil && len(page[i].Links) == 0 {
			for kind, values := range identifiersOf(*o) {
				keys[kind] = append(keys[kind], values...)
			}
		}
	}
	matching := map[ledger.IdentifierKind]map[string][]ledger.Candidate{}
	for kind, values := range keys {
		of := ""
		if kind == ledger.IdentifiesAccount {
			of = app
		}
		matching[kind] = map[string][]ledger.Candidate{}
		for some := range slices.Chunk(sorted(values), chunk) {
			args := append([]any{string(kind), of, app, at.UnixMicro()}, anys(some)...)
			rows, err := list(ctx, now, `SELECT DISTINCT i.value, p.id, p.status,
					CASE WHEN EXISTS (SELECT 1 FROM attempts a WHERE a.person_id = p.id AND a.app = ?3 AND a.deadline > ?4) THEN 1 ELSE 0 END
				FROM identifiers i JOIN people w ON w.id = i.person_id JOIN people p ON p.id = coalesce(nullif(w.carried_to, ''), w.id)
				WHERE i.kind = ?1 AND i.app = ?2 AND `+noOrphan("p.id")+` AND i.value IN (`+marks(len(some))+`) ORDER BY 1, 2`,
				args, func(c *identified) []any {
					return []any{&c.value, &c.candidate.PersonID, &c.candidate.Status, &c.candidate.Busy}
				})
			if err != nil {
				return err
			}
			taken, err := s.erased(ctx, now, kind, rows)
			if err != nil {
				return err
			}
			for _, row := range rows {
				if taken[row.value] {
					continue // it was somebody else's, or was of a life that is forgotten
				}
				row.candidate.By = kind
				matching[kind][row.value] = append(matching[kind][row.value], row.candidate)
			}
		}
	}
	for i := range page {
		if o := page[i].Observed; o != nil && len(page[i].Links) == 0 {
			page[i].Candidates = strongest(*o, matching)
		}
	}
	return s.readOwn(ctx, now, app, page)
}

// erased reports which of the values were those of people who were erased. What an account has by
// its own ID, or by the ID of a person, is theirs all the same.
func (s *Store) erased(ctx context.Context, now Reader, kind ledger.IdentifierKind, rows []identified) (map[string]bool, error) {
	taken := map[string]bool{}
	if kind == ledger.IdentifiesAccount || kind == ledger.IdentifiesPerson || len(rows) == 0 {
		return taken, nil
	}
	is, err := reserves(ctx, now, s.pepper)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		if _, known := taken[row.value]; known {
			continue
		}
		if taken[row.value], err = is(string(kind), "", row.value); err != nil {
			return nil, err
		}
	}
	return taken, nil
}

// readOwn reads the links that candidates have in the app.
func (s *Store) readOwn(ctx context.Context, now Reader, app string, page []ledger.Sighting) error {
	var ids []string
	for i := range page {
		for _, c := range page[i].Candidates {
			ids = append(ids, c.PersonID)
		}
	}
	own := map[string]ledger.Link{}
	for some := range slices.Chunk(sorted(ids), chunk) {
		links, err := list(ctx, now, `SELECT `+linkColumns+` FROM links WHERE app = ? AND person_id IN (`+marks(len(some))+`)`,
			append([]any{app}, anys(some)...), linkDest)
		if err != nil {
			return err
		}
		for _, l := range links {
			own[l.PersonID] = l
		}
	}
	for i := range page {
		for j := range page[i].Candidates {
			page[i].Candidates[j].Link = own[page[i].Candidates[j].PersonID]
		}
	}
	return nil
}

// identifiersOf returns the identifiers that an account shows, as they are stored.
func identifiersOf(o ledger.Observed) map[ledger.IdentifierKind][]string {
	all := map[ledger.IdentifierKind][]string{}
	add := func(kind ledger.IdentifierKind, values ...string) {
		for _, value := range values {
			if value = identifierKey(kind, value); value != "" {
				all[kind] = append(all[kind], value)
			}
		}
	}
	add(ledger.IdentifiesAccount, o.AccountID)
	add(ledger.IdentifiesPerson, o.ExternalID)
	if o.ExternalID == "" { // else it is that person's, or nobody's
		add(ledger.IdentifiesEmployee, o.Employee)
		add(ledger.IdentifiesUsername, o.Username)
		add(ledger.IdentifiesEmail, o.Addresses...)
	}
	return all
}

// strength lists the kinds of identifier, the surest first.
var strength = []ledger.IdentifierKind{
	ledger.IdentifiesPerson, ledger.IdentifiesAccount, ledger.IdentifiesEmployee, ledger.IdentifiesUsername, ledger.IdentifiesEmail,
}

// strongest returns whom an account matches by the surest kind of identifier that matches
// anybody, by ID.
func strongest(o ledger.Observed, matching map[ledger.IdentifierKind]map[string][]ledger.Candidate) []ledger.Candidate {
	shown := identifiersOf(o)
	for _, kind := range strength {
		if kind == ledger.IdentifiesAccount && o.ExternalID != "" {
			continue // it carries the ID of somebody, who is not known
		}
		var found []ledger.Candidate
		for _, value := range shown[kind] {
			found = append(found, matching[kind][value]...)
		}
		if len(found) > 0 {
			slices.SortFunc(found, func(a, b ledger.Candidate) int { return cmp.Compare(a.PersonID, b.PersonID) })
			return slices.CompactFunc(found, func(a, b ledger.Candidate) bool { return a.PersonID == b.PersonID })
		}
	}
	return nil
}
