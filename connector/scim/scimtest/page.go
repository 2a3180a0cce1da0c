package scimtest

import (
	_ "embed"
	"html/template"
	"net/http"
)

// maxRows is how many accounts the page shows at most.
const maxRows = 500

//go:embed page.html
var pageSource string

var pageTemplate = template.Must(template.New("page").Parse(pageSource))

// page shows the accounts to people. It needs no token, since a browser has none.
func (s *Service) page(w http.ResponseWriter, _ *http.Request) {
	users := s.Users()
	view := struct {
		Name                    string
		Users                   []User
		Total, Active, Disabled int
		Faults                  Faults
		Stats                   Stats
	}{Name: s.name, Total: len(users), Faults: s.Faults(), Stats: s.Stats()}
	for _, u := range users {
		if u.Active {
			view.Active++
		}
	}
	view.Disabled = view.Total - view.Active
	view.Users = users[:min(len(users), maxRows)]

	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	_ = pageTemplate.Execute(w, view) // fails only if the client is gone
}
