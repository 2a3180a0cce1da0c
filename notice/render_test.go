package notice_test

import (
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/notice"
)

func texts(t require.TestingT) *notice.Texts {
	all, err := notice.LoadTexts(nil)
	require.NoError(t, err)
	return all
}

// Who adds a field to Public has to ask whether anybody may read it.
func TestPublicHasNoFieldThatCouldLeak(t *testing.T) {
	var fields []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[notice.Public]()) {
		fields = append(fields, f.Name)
	}
	assert.Equal(t, []string{
		"About", "Person", "App", "Apps", "Role", "Step", "State", "Counts", "Count", "Allowed", "At", "Until", "Commands",
	}, fields)
}

// secretly draws a text of letters that are in no template and no code.
func secretly(t *rapid.T, label string) string {
	return string(rapid.SliceOfN(rapid.RuneFrom(nil, unicode.Cyrillic, unicode.Han, unicode.Greek), 1, 30).Draw(t, label))
}

func private(r rune) bool { return unicode.In(r, unicode.Cyrillic, unicode.Han, unicode.Greek) }

func TestNoPublicTextShowsAnythingPrivate(t *testing.T) {
	all := texts(t)
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom(notice.KindNames()).Draw(t, "kind")
		var items []notice.Item
		for range rapid.IntRange(1, 3).Draw(t, "notices") {
			data := notice.Sample(kind, rapid.SampledFrom(append(notice.States(kind), "")).Draw(t, "state"))
			// Every field that is not Public's.
			v := reflect.ValueOf(&data).Elem()
			for i := range v.NumField() {
				if f := v.Field(i); f.Kind() == reflect.String {
					f.SetString(secretly(t, v.Type().Field(i).Name))
				}
			}
			items = append(items, notice.Item{Kind: kind, Data: data})
		}
		chat, err := all.Chat(items)
		require.NoError(t, err)
		mail, err := all.Mail(items)
		require.NoError(t, err)
		for what, text := range map[string]string{"chat": chat, "subject": mail.Subject} {
			if text == "" || strings.ContainsFunc(text, private) {
				t.Fatalf("%s: %q", what, text)
			}
		}
	})
}

func TestASubjectIsOneLineOfIDs(t *testing.T) {
	all := texts(t)
	one := notice.Item{Kind: notice.RequestAsked, Data: notice.Sample(notice.RequestAsked, "")}
	one.Data.About = "r-1\r\nBcc: all@example.com"
	subject, err := all.Subject([]notice.Item{one})
	require.NoError(t, err)
	assert.NotContains(t, subject, "\n")
	assert.NotContains(t, subject, "\r")
	var many []notice.Item
	for _, name := range []string{"r-1", "r-2", "r-2", "t-3", "c-4", "r-5", "r-6"} {
		i := one
		i.Data.About = name
		many = append(many, i)
	}
	subject, err = all.Subject(many)
	require.NoError(t, err)
	assert.Equal(t, "Tenure: 7 notices (r-1, r-2, t-3, c-4, r-5, ...)", subject)
}

func TestWhatHumansTypedIsEscapedInHTML(t *testing.T) {
	data := notice.Sample(notice.RequestAsked, "")
	data.Reason = `<img src="https://evil.example/x.png"> & more`
	mail, err := texts(t).Mail([]notice.Item{{Kind: notice.RequestAsked, Data: data}})
	require.NoError(t, err)
	assert.Contains(t, mail.Text, data.Reason)
	assert.NotContains(t, mail.HTML, "<img")
	assert.Contains(t, mail.HTML, "&lt;img")
}

func TestAMessageDoesNotGrowWithoutEnd(t *testing.T) {
	var items []notice.Item
	for range 1000 {
		items = append(items, notice.Item{Kind: notice.TaskAsked, Data: notice.Sample(notice.TaskAsked, "")})
	}
	mail, err := texts(t).Mail(items)
	require.NoError(t, err)
	assert.Contains(t, mail.Text, "950 more: tenure notice list")
	assert.Contains(t, mail.HTML, "950 more: tenure notice list")
	chat, err := texts(t).Chat(items)
	require.NoError(t, err)
	assert.Contains(t, chat, "950 more")
}

func TestTemplatesCanBeReplacedOneByOne(t *testing.T) {
	own := fstest.MapFS{"request.asked.tmpl": {Data: []byte(`{{define "subject"}}S{{end}}{{define "chat"}}C {{.About}}{{end}}{{define "mail"}}M {{.Reason}}{{end}}`)}}
	all, err := notice.LoadTexts(own)
	require.NoError(t, err)
	chat, err := all.Chat([]notice.Item{{Kind: notice.RequestAsked, Data: notice.Sample(notice.RequestAsked, "")}})
	require.NoError(t, err)
	assert.Equal(t, "C r-12", chat)
	chat, err = all.Chat([]notice.Item{{Kind: notice.BreakerHeld, Data: notice.Sample(notice.BreakerHeld, "")}})
	require.NoError(t, err)
	assert.Contains(t, chat, "The breaker holds c-2")
}

func TestATemplateThatCannotBeUsedIsRefused(t *testing.T) {
	const rest = `{{define "subject"}}S{{end}}{{define "mail"}}M{{end}}`
	for name, c := range map[string]struct{ file, text, want string }{
		"a name in a chat":       {"request.asked.tmpl", rest + `{{define "chat"}}{{.Who}}{{end}}`, "can't evaluate field Who in type notice.Public"},
		"a reason in a subject":  {"request.asked.tmpl", `{{define "subject"}}{{.Reason}}{{end}}{{define "chat"}}{{end}}{{define "mail"}}{{end}}`, "can't evaluate field Reason in type notice.Public"},
		"behind a condition":     {"request.asked.tmpl", rest + `{{define "chat"}}{{if eq .State "confirming"}}{{.AskedBy}}{{end}}{{end}}`, "can't evaluate field AskedBy"},
		"no template for a chat": {"request.asked.tmpl", rest, `it does not define "chat"`},
		"no template at all":     {"task.asked.tmpl", `{{`, "task.asked.tmpl"},
		"no such kind":           {"task.done.tmpl", rest, `there is no kind of notice "task.done"`},
		"a frame":                {"frame.txt.tmpl", `{{.Nobody}}`, "frame.txt.tmpl"},
	} {
		_, err := notice.LoadTexts(fstest.MapFS{c.file: {Data: []byte(c.text)}})
		if assert.Error(t, err, name) {
			assert.Contains(t, err.Error(), c.want, name)
			assert.Contains(t, err.Error(), c.file, name)
		}
	}
}

func TestEveryKindIsDescribed(t *testing.T) {
	for _, k := range notice.Kinds() {
		assert.NotEmpty(t, k.When, k.Name)
		assert.NotEmpty(t, k.To, k.Name)
		assert.NotEmpty(t, k.Moot, k.Name)
		mail, err := texts(t).Mail([]notice.Item{{Kind: k.Name, Data: notice.Sample(k.Name, "")}})
		require.NoError(t, err)
		assert.Contains(t, mail.Text, "tenure ", "%s says what to do", k.Name)
		assert.NotContains(t, mail.HTML, "http", "%s has no images and no tracking", k.Name)
	}
}
