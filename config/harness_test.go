package config

import (
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	connectors "github.com/tenurehq/tenure/connector/catalog"
	sources "github.com/tenurehq/tenure/hr/source/catalog"
)

// files and environment are what a loader in these tests sees beside the text
// that it is given.
var (
	files = map[string]string{
		"secrets/token":      "s3cret\r\n",
		"/run/secrets/token": "absolute",
		"secrets/empty":      "\n",
		"secrets/webhook":    "0123456789abcdef",
		"secrets/audit":      auditKey + "\n",
		"secrets/pepper":     pepper + "\n",
		"secrets/signing":    "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3",
		"secrets/hook":       "https://chat.example.com/hooks/1",
		"kafka/ca.pem":       certificatePEM,
		"kafka/tenure.pem":   certificatePEM,
		"kafka/tenure.key":   keyPEM,
		"kafka/other.key":    otherKeyPEM,
	}
	auditKey    = "PRIVATE+KEY+example.com/tenure+8a852de2+AYqS0nsWEyBMBFuF+Yl3/ip4oyYbXGFBOztYRpyD0xGZ"
	templates   = fstest.MapFS{"task.asked.tmpl": {Data: []byte(`{{define "subject"}}S{{end}}{{define "chat"}}C{{end}}{{define "mail"}}M{{end}}`)}}
	environment = map[string]string{"TOKEN": "t0ken", "EMPTY": ""}
)

// read loads a text as etc/tenure.yaml.
func read(text string) (*Config, error) { return readFor(text, Parts()...) }

// readFor loads a text for who uses some parts of it only.
func readFor(text string, parts ...Part) (*Config, error) {
	const file = "etc/tenure.yaml"
	l := &loader{
		file:  file,
		needs: parts,
		lookupEnv: func(name string) (string, bool) {
			content, ok := environment[name]
			return content, ok
		},
		readFile: func(path string) ([]byte, error) {
			if path == file {
				return []byte(text), nil
			}
			content, ok := files[strings.TrimPrefix(path, "etc/")]
			if !ok {
				return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
			}
			return []byte(content), nil
		},
		folder: func(string) fs.FS { return templates },
		kinds:  connectors.Kinds(), sources: sources.Kinds(),
	}
	return l.load()
}

// base is what every configuration must have, in three lines.
const base = `kafka: {brokers: ["localhost:9092"]}
ledger: {url: "sqlite:tenure.db"}

`

func everyKey(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("testdata/every-key.yaml")
	require.NoError(t, err)
	return string(text)
}
