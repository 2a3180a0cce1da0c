package pack

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tenurehq/tenure/audit"
)

// part is a whole subtree: 2^level leaves, the first of which has a number that 2^level divides.
type part struct {
	level int
	hash  audit.Hash
}

// parts are the subtrees, from the left, of which the first leaves of a tree consist: those of the
// bits of their number, the largest first.
type parts []part

// add adds the next subtree.
func (p *parts) add(next part) {
	for n := len(*p); n > 0 && (*p)[n-1].level == next.level; n-- {
		next = part{next.level + 1, tlog.NodeHash((*p)[n-1].hash, next.hash)}
		*p = (*p)[:n-1]
	}
	*p = append(*p, next)
}

// root returns the root of the tree, as RFC 6962 has it.
func (p parts) root() audit.Hash {
	if len(p) == 0 {
		root, _ := tlog.TreeHash(0, nil) // reads nothing
		return root
	}
	root := p[len(p)-1].hash
	for i := len(p) - 2; i >= 0; i-- {
		root = tlog.NodeHash(p[i].hash, root)
	}
	return root
}

// Prover writes the proof that some leaves are in a log. It is given all leaves in their order. Of
// those whose rows are not in the pack it writes what the root is computed from: the roots of the
// largest subtrees, a line for each, with the level and the hash in base64. So a proof is short
// where many rows, or none, are next to each other.
type Prover struct {
	w     io.Writer
	size  int64
	whole parts // from the first leaf on
	open  []run // of leaves that are left out, since the last one that is not
}

// run is a subtree of leaves that are left out.
type run struct {
	part
	first int64
}

// NewProver returns a prover that writes to w.
func NewProver(w io.Writer) *Prover { return &Prover{w: w} }

// Size returns the number of leaves so far.
func (p *Prover) Size() int64 { return p.size }

// Root returns the root of the leaves so far.
func (p *Prover) Root() audit.Hash { return p.whole.root() }

// Leave takes the next leaf, whose row is not in the pack.
func (p *Prover) Leave(leaf audit.Hash) {
	next := run{part{0, leaf}, p.size}
	for len(p.open) > 0 {
		last := p.open[len(p.open)-1]
		if last.level != next.level || last.first>>last.level&1 == 1 {
			break
		}
		p.open = p.open[:len(p.open)-1]
		next = run{part{next.level + 1, tlog.NodeHash(last.hash, next.hash)}, last.first}
	}
	p.open = append(p.open, next)
	p.grow(leaf)
}

// Take takes the next leaf, whose row is in the pack.
func (p *Prover) Take(leaf audit.Hash) error {
	err := p.Cut()
	p.grow(leaf)
	return err
}

func (p *Prover) grow(leaf audit.Hash) {
	p.whole.add(part{0, leaf})
	p.size++
}

// Cut makes the proof one of the leaves so far, too: whoever has a checkpoint of their number can
// compare it. It has to be called when all leaves were taken.
func (p *Prover) Cut() error {
	for _, r := range p.open {
		if _, err := fmt.Fprintf(p.w, "%d %s\n", r.level, base64.StdEncoding.EncodeToString(r.hash[:])); err != nil {
			return err
		}
	}
	p.open = p.open[:0]
	return nil
}

var errProof = errors.New("it is not written as proofs are")

// readPart reads a line of a proof.
func readPart(line string) (part, error) {
	level, text, found := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
	n, err := strconv.Atoi(level)
	raw, failed := base64.StdEncoding.DecodeString(text)
	if !found || err != nil || failed != nil || n < 0 || n > 62 || len(raw) != len(audit.Hash{}) {
		return part{}, errProof
	}
	if fmt.Sprintf("%d %s\n", n, base64.StdEncoding.EncodeToString(raw)) != line {
		return part{}, errProof
	}
	return part{n, audit.Hash(raw)}, nil
}
