package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/catalog"
	"github.com/tenurehq/tenure/internal/nearest"
)

type kindView struct {
	Name       string          `json:"name"`
	Summary    string          `json:"summary"`
	About      string          `json:"about,omitempty"`
	Proven     []string        `json:"proven,omitempty"`
	Longest    int             `json:"longestUsername,omitempty"`
	AtOnce     int             `json:"atOnce"`
	Attributes []string        `json:"attributes"`
	Others     string          `json:"otherAttributes,omitempty"`
	Settings   []settingView   `json:"settings"`
	Operations []operationView `json:"operations"`
}

type settingView struct {
	Name     string   `json:"name"`
	Type     string   `json:"type"`
	Required bool     `json:"required,omitempty"`
	Default  string   `json:"default,omitempty"`
	Choices  []string `json:"choices,omitempty"`
	Text     string   `json:"text"`
}

type operationView struct {
	Name  string `json:"name"`
	Calls string `json:"calls,omitempty"`
}

func viewKind(kind connector.Kind) kindView {
	v := kindView{Name: kind.Name, Summary: kind.Summary, About: kind.About, Proven: kind.Proven, Longest: kind.LongestUsername, AtOnce: kind.CallsAtOnce(0), Attributes: append([]string{}, kind.Attributes...), Others: kind.OtherAttributes, Settings: []settingView{}}
	for _, s := range kind.Settings {
		setting := settingView{Name: s.Name, Type: string(s.Type), Required: s.Required, Choices: s.Choices, Text: s.Text}
		if s.Default != nil {
			setting.Default = fmt.Sprint(s.Default)
		}
		v.Settings = append(v.Settings, setting)
	}
	for _, o := range kind.Operations {
		v.Operations = append(v.Operations, operationView{Name: o.Op, Calls: o.Calls})
	}
	return v
}

func (v kindView) operations() string {
	names := make([]string, len(v.Operations))
	for i, o := range v.Operations {
		names[i] = o.Name
	}
	return strings.Join(names, ", ")
}

func (c *cli) appKindsCommand() *cobra.Command {
	return c.lists(&cobra.Command{
		Use:   "kinds",
		Short: "List the kinds of app that there are connectors for",
		Long: `List the kinds of app that there are connectors for, and what each can do at its
most. "tenure app kind NAME" shows one with its settings. No configuration is
needed.`,
		Example: `  tenure app kinds
  tenure app kinds -o json | jq -r '.[].name'`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			kinds := []kindView{}
			for _, kind := range catalog.Kinds() {
				kinds = append(kinds, viewKind(kind))
			}
			kinds = limited(c, kinds)
			rows := rowsOf(kinds, func(v kindView) []string { return []string{v.Name, v.Summary, v.operations()} })
			const header = "kind,is,operations"
			return c.printList(kinds, header, rows, func(p *page) { p.table("", header, rows) })
		},
	})
}

func (c *cli) appKindCommand() *cobra.Command {
	return c.reads(&cobra.Command{
		Use:   "kind NAME",
		Short: "Show a kind of app: its settings, its attributes, what it can do, and by which calls",
		Long: `Show a kind of app: its settings, the attributes that can be mapped, what it can do,
and by which calls of the app's API. The settings go below apps.NAME.settings in tenure.yaml; secrets are given
as ${env:NAME} or ${file:PATH} and read anew each time they are used.`,
		Example: `  tenure app kind scim`,
		Args:    exactly("NAME"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return kindNames(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			kind, ok := catalog.Lookup(args[0])
			if !ok {
				return usagef("there is no kind %q%s", args[0], nearest.Hint(args[0], kindNames()))
			}
			v := viewKind(kind)
			return c.print(v, func(p *page) { drawKind(p, v) })
		},
	})
}

func kindNames() []string {
	var names []string
	for _, kind := range catalog.Kinds() {
		names = append(names, kind.Name)
	}
	return names
}

func drawKind(p *page, v kindView) {
	p.fields(field{"kind", v.Name}, field{"is", v.Summary}, field{"proven on", strings.Join(v.Proven, ", ")})
	if v.Longest > 0 {
		p.fields(field{"longest username", fmt.Sprint(v.Longest, " characters")})
	}
	p.fields(field{"calls at a time", fmt.Sprintf("%d by each worker, unless apps.NAME.atOnce says otherwise", v.AtOnce)})
	if v.Attributes != nil || v.Others != "" {
		p.fields(field{"attributes", strings.Join(v.Attributes, ", ")}, field{"other attributes", v.Others})
	}
	if v.About != "" {
		p.note("")
		p.block(strings.TrimSpace(v.About))
	}
	p.table("settings", "name,is,default,what for", rowsOf(v.Settings, func(s settingView) []string {
		is, preset := s.Type, s.Default
		if len(s.Choices) > 0 {
			is = strings.Join(s.Choices, " | ")
		}
		if s.Required {
			preset = "required"
		}
		return []string{s.Name, is, preset, s.Text}
	}))
	p.table("operations", "name,calls", rowsOf(v.Operations, func(o operationView) []string {
		return []string{o.Name, o.Calls}
	}))
}
