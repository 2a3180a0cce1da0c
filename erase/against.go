package erase

import (
	"fmt"
	"strings"

	"github.com/tenurehq/tenure/internal/visible"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
)

// Sentence says in one sentence what stands against erasing a person, and what to do about it.
func Sentence(o ledger.Obstacle, personID string) string {
	id, name, app := visible.Quoted(personID), visible.Line(o.Name), visible.Line(o.App)
	switch o.What {
	case ledger.ObstacleEmployed:
		if !o.Until.IsZero() {
			return fmt.Sprintf("their employment ends at %s: wait until it is over", words.Instant(o.Until))
		}
		return fmt.Sprintf("by all that HR says, they are employed (%s): let HR end the employment, and see tenure person timeline %s", strings.ReplaceAll(o.State, "_", " "), id)
	case ledger.ObstacleKept:
		return fmt.Sprintf("what is known of them is kept until %s (privacy.keep): wait, or keep it for less", words.Instant(o.Until))
	case ledger.ObstacleHold:
		return fmt.Sprintf("the legal hold %s is in force until %s: let who placed it release it (tenure hold release %s)", name, words.Instant(o.Until), name)
	case ledger.ObstacleHuman:
		return fmt.Sprintf("%s is the same human, and has their accounts: erase that ID first, or tell the two apart (tenure person unlink)", name)
	case ledger.ObstacleAccount:
		return fmt.Sprintf("their account in %s is %s: wait until it is deleted, have it deleted sooner (tenure retention set %s --app %s --for 0d), or set privacy.keptAccounts if it never is", app, o.State, id, visible.Quoted(o.App))
	case ledger.ObstacleCall:
		return fmt.Sprintf("a call of %s may be under way until %s: wait", app, words.Instant(o.Until))
	case ledger.ObstacleStep:
		return fmt.Sprintf("a step in %s is not done (%s): see tenure person show %s", app, o.State, id)
	case ledger.ObstacleDue:
		return fmt.Sprintf("something is due for them at %s (%s): wait until it is done, and see tenure person show %s", words.Instant(o.Until), o.State, id)
	case ledger.ObstacleTask:
		return fmt.Sprintf("the task %s in %s is not finished: finish it (tenure task done) or refuse it (tenure task refuse)", name, app)
	case ledger.ObstacleRequest:
		return fmt.Sprintf("the request %s is not over: decide it (tenure request approve, deny) or cancel it (tenure request cancel %s)", name, name)
	case ledger.ObstacleReview:
		return fmt.Sprintf("the review %s asks about them, or asks them: decide or move its items (tenure review decide, move), and wait until it is closed", name)
	case ledger.ObstacleFinding:
		return fmt.Sprintf("the finding %s in %s is open (%s): decide it (tenure finding show %s)", name, app, o.State, name)
	case ledger.ObstacleException:
		return fmt.Sprintf("the exception %s has not ended: end it (tenure exception end %s)", name, name)
	case ledger.ObstacleLetter:
		return fmt.Sprintf("dead letter %s is about them, and nobody knows what it says: send it again or discard it (tenure dlq show %s)", name, name)
	case ledger.ObstacleBreaker:
		return fmt.Sprintf("the breaker counts a change of theirs (%s): see tenure breaker list", strings.TrimSpace(name+" "+o.State))
	case ledger.ObstacleRecord:
		return "a row of the record is not in the log yet, without which its text must not be erased: try again in a minute, while a worker runs"
	}
	return string(o.What)
}
