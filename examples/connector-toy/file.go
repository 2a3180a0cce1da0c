package toy

import (
	"encoding/csv"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"sync"

	"github.com/tenurehq/tenure/connector"
)

var (
	columns    = []string{"id", "username", "person", "active", "name", "shelf"}
	attributes = columns[4:] // the other columns belong to every account
)

// using is held while a file is read or changed: nobody but Tenure uses the toy app.
var using sync.Mutex

// load reads the accounts. If the file does not exist, there are none.
func load(path string) ([]connector.Account, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // nothing was written, so that nothing can be lost
	reader := csv.NewReader(f)
	reader.FieldsPerRecord = len(columns)
	lines, err := reader.ReadAll()
	if err != nil {
		return nil, err
	}
	var accounts []connector.Account
	for _, line := range lines[min(1, len(lines)):] {
		active, err := strconv.ParseBool(line[3])
		if err != nil {
			return nil, err
		}
		account := connector.Account{ID: line[0], Username: line[1], ExternalID: line[2], Active: active, Attributes: map[string]any{}}
		for i, name := range attributes {
			if text := line[4+i]; text != "" {
				account.Attributes[name] = text
			}
		}
		accounts = append(accounts, account)
	}
	return accounts, nil
}

// save replaces the file, as a whole or not at all.
func save(path string, accounts []connector.Account) error {
	lines := [][]string{columns}
	for _, a := range accounts {
		line := []string{a.ID, a.Username, a.ExternalID, strconv.FormatBool(a.Active)}
		for _, name := range attributes {
			text, _ := a.Attributes[name].(string)
			line = append(line, text)
		}
		lines = append(lines, line)
	}
	f, err := os.Create(path + ".new")
	if err != nil {
		return err
	}
	err = csv.NewWriter(f).WriteAll(lines)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// known reports whether the app has an attribute.
func known(name string) bool { return slices.Contains(attributes, name) }
