package relational

// An export is lines of JSON:
//
//	{"format":"tenure-ledger","version":1,"schema":8,"tables":[{"name":"people","columns":["id",...],"rows":2,"counter":0},...]}
//	["people","p1","ada",null,...]
//	...
//	{"rows":17,"sha256":"..."}
//
// Rows come table by table, in the order of the header; a value is a text, a whole
// number or null. The last line has the digest of all others, line ends included.

const (
	exportFormat  = "tenure-ledger"
	exportVersion = 1
)

// header is the first line.
type header struct {
	Format  string        `json:"format"`
	Version int           `json:"version"`
	Schema  int64         `json:"schema"`
	Tables  []tableHeader `json:"tables"`
}

type tableHeader struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"`
	Rows    int64    `json:"rows"`
	Counter int64    `json:"counter"` // the highest number given out
}

// trailer is the last line.
type trailer struct {
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"`
}

func (h header) total() (n int64) {
	for _, t := range h.Tables {
		n += t.Rows
	}
	return n
}

func (h header) rows() map[string]int64 {
	rows := map[string]int64{}
	for _, t := range h.Tables {
		rows[t.Name] = t.Rows
	}
	return rows
}
