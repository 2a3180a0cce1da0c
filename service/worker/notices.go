package worker

import (
	"cmp"
	"context"
	"crypto/rand"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/notice"
)

// SendNotices sends the notices that are due until ctx ends. Any number of processes may do
// so: one of them sends. It does not need Temporal. If the configuration tells nobody
// anything, it returns at once.
func SendNotices(ctx context.Context, cfg *config.Config, l ledger.Ledger, log *zap.Logger, metrics prometheus.Registerer) {
	n := cfg.Notices
	if n == nil {
		return
	}
	texts, err := n.Texts()
	if err != nil {
		log.Error("templates of notices cannot be used: Tenure's own are; correct notices.templates and restart the workers", zap.Error(err))
		texts, err = notice.LoadTexts(nil)
	}
	if err != nil {
		log.Error("no notice is sent", zap.Error(err))
		return
	}
	s := &notice.Sender{
		Outbox: l, Holder: rand.Text(), Texts: texts, Mailer: n.Mailer(), Chats: n.Posters(), Gather: n.Gather, Hours: n.Hours, Days: n.Days, Limit: n.Limit,
		Zone: cmp.Or(cfg.Governance.TimeZone, time.UTC), Clock: cfg.Clock(), Log: log, Metrics: notice.NewMetrics(metrics),
	}
	s.Run(ctx)
}
