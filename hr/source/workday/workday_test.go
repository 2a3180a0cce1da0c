package workday_test

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/sourcetest"
	"github.com/tenurehq/tenure/hr/source/workday"
	"github.com/tenurehq/tenure/internal/remote"
)

var settings = source.Settings{
	"zone": "Europe/Berlin", "url": "https://wd.example.com/ccx/service/t/Staffing/v44.1", "username": "ISU@t", "password": "p",
}

const person = "21008"

func TestGolden(t *testing.T) { sourcetest.Golden(t, workday.Kind, settings) }

func FuzzDecode(f *testing.F) { sourcetest.Fuzz(f, workday.Kind, settings) }

// The service follows Get_Workers' page and Workday's SOAP documentation: a POST of an
// envelope with a UsernameToken and one reference with its type.
func TestFetch(t *testing.T) {
	answer := []byte(`<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"/>`)
	sourcetest.Fetch(t, sourcetest.Fetching{
		Kind:     workday.Kind,
		Settings: at,
		Secret:   "s3cret<&password", Reference: "Employee_ID=21008", Unsafe: "21008", Answer: answer,
		API: func(t *testing.T) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				assert.Equal(t, "POST /ccx/service/t/Staffing/v44.1", r.Method+" "+r.URL.Path)
				assert.Contains(t, r.Header.Get("Content-Type"), "text/xml")
				body, _ := io.ReadAll(r.Body)
				var envelope struct {
					Username string `xml:"Header>Security>UsernameToken>Username"`
					Password string `xml:"Header>Security>UsernameToken>Password"`
					ID       struct {
						Type string `xml:"type,attr"`
						Text string `xml:",chardata"`
					} `xml:"Body>Get_Workers_Request>Request_References>Worker_Reference>ID"`
					Log bool `xml:"Body>Get_Workers_Request>Response_Group>Include_Transaction_Log_Data"`
				}
				assert.NoError(t, xml.Unmarshal(body, &envelope), "%s", body)
				assert.Equal(t, "ISU@t", envelope.Username)
				assert.Equal(t, "s3cret<&password", envelope.Password)
				assert.Equal(t, "Employee_ID", envelope.ID.Type)
				assert.Equal(t, "21008", envelope.ID.Text)
				assert.True(t, envelope.Log)
				_, _ = w.Write(answer)
			}
		},
	})
}

func at(url string) source.Settings {
	return source.Settings{"url": url + "/ccx/service/t/Staffing/v44.1", "username": "ISU@t", "password": "s3cret<&password"}
}

// Workday answers 500 with a fault to a request that it refuses.
func TestFaults(t *testing.T) {
	for code, kind := range map[string]remote.Kind{
		"SOAP-ENV:Client.authenticationError": remote.Unauthorized,
		"SOAP-ENV:Client.validationError":     remote.NotFound,
		"SOAP-ENV:Server.processingFault":     remote.Forbidden,
		"SOAP-ENV:Server":                     remote.Unavailable,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault><faultcode>`+code+
				`</faultcode><faultstring>Bryony Okafor</faultstring></e:Fault></e:Body></e:Envelope>`)
		}))
		_, err := sourcetest.Open(t, workday.Kind, at(server.URL)).Fetch(t.Context(), "Employee_ID=21008")
		server.Close()
		var e *remote.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, kind, e.Kind, code)
		assert.NotContains(t, err.Error(), "Okafor")
	}
}

func timeline(t *testing.T, names ...string) hr.Timeline {
	t.Helper()
	return sourcetest.Timeline(t, workday.Kind, settings, person, names...)
}

func berlin(t *testing.T, day string) time.Time {
	t.Helper()
	return sourcetest.Midnight(t, "Europe/Berlin", day)
}

// The same transaction comes alone, repeatedly, and together with each later one.
func TestAHireSaidOftenIsOneJoiner(t *testing.T) {
	line := timeline(t, "hired", "thin", "hired-and-changed", "hired")
	require.Len(t, line.Periods, 1)
	assert.Equal(t, berlin(t, "2026-03-16"), line.Periods[0].Starts)
	require.Len(t, line.Periods[0].Profiles, 2)
	assert.Equal(t, "Staff Engineer", line.Periods[0].Profiles[1].Profile.JobTitle)
	assert.Equal(t, berlin(t, "2026-06-01"), line.Periods[0].Profiles[1].From, "future-dated")
}

func TestTerminations(t *testing.T) {
	line := timeline(t, "hired", "termination-announced")
	require.Len(t, line.Periods, 1)
	assert.Equal(t, berlin(t, "2026-09-26"), line.Periods[0].Ends, "at the end of the last day of work")

	line = timeline(t, "hired", "termination-announced", "termination-rescinded")
	require.Len(t, line.Periods, 1)
	assert.True(t, line.Periods[0].Ends.IsZero(), "rescinded")

	line = timeline(t, "termination-rescinded", "termination-announced", "hired")
	require.Len(t, line.Periods, 1)
	assert.True(t, line.Periods[0].Ends.IsZero(), "rescinded, in whatever order")

	line = timeline(t, "hired", "termination-announced", "termination-corrected")
	require.Len(t, line.Periods, 1)
	assert.Equal(t, berlin(t, "2026-10-26"), line.Periods[0].Ends, "corrected")
	assert.Empty(t, line.Conflicts)
}

func TestARescindedHireNeverWas(t *testing.T) {
	assert.Empty(t, timeline(t, "hired", "hire-rescinded").Periods)
}

func TestARehireBeginsAnew(t *testing.T) {
	line := timeline(t, "hired", "termination-announced", "rehired")
	require.Len(t, line.Periods, 2)
	assert.Equal(t, berlin(t, "2027-02-01"), line.Periods[1].Starts)
	assert.Empty(t, line.Conflicts)
}

// Transactions without a WID have IDs too. The same transaction has the same ID, and
// another one another ID.
func TestEventIDsWithoutWIDs(t *testing.T) {
	decode := sourcetest.Open(t, workday.Kind, settings).Decode
	first := sourcetest.Named(t, "no-wid").Events(t, decode)[0]
	again := sourcetest.Named(t, "no-wid").Events(t, decode)[0]
	assert.Equal(t, first.ID, again.ID)
	assert.NotEqual(t, first.ID, sourcetest.Named(t, "hired").Events(t, decode)[0].ID)
}

func TestSettings(t *testing.T) {
	for name, test := range map[string]struct {
		settings source.Settings
		want     string
	}{
		"process":     {source.Settings{"transactions": map[string]any{"Hire": "joined"}}, `"transactions" must map`},
		"no password": {source.Settings{"url": "https://x", "username": "a"}, `"password" is missing`},
		"no url":      {source.Settings{"url": "x"}, `"url" must be a whole`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := workday.Kind.Open(test.settings)
			require.ErrorContains(t, err, test.want)
		})
	}
}
