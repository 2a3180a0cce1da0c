package service

import (
	"io"
	"time"

	tlog "go.temporal.io/sdk/log"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/tenurehq/tenure/internal/visible"
)

// NewLogger returns a logger that writes entries at the level and above, each as one line
// of JSON. Times are RFC 3339 in UTC, and control characters that a terminal would obey
// are escaped. Nothing is sampled: a line about who lost access matters the hundredth time
// too.
func NewLogger(w io.Writer, level zapcore.Level) *zap.Logger {
	enc := zap.NewProductionEncoderConfig()
	enc.TimeKey, enc.MessageKey = "time", "message"
	enc.EncodeTime = zapcore.TimeEncoderOfLayout("2006-01-02T15:04:05.000Z07:00")
	enc.EncodeDuration = zapcore.StringDurationEncoder
	core := zapcore.NewCore(zapcore.NewJSONEncoder(enc), zapcore.Lock(zapcore.AddSync(visible.JSONWriter{Writer: w})), level)
	return zap.New(core, zap.WithClock(utcClock{}))
}

// TemporalLogger returns a logger for Temporal's SDK that writes to log.
func TemporalLogger(log *zap.Logger) tlog.Logger {
	return sdkLogger{log.Named("temporal").WithOptions(zap.AddCallerSkip(1)).Sugar()}
}

// sdkLogger gives zap's sugared logger the method names of the SDK's interface.
type sdkLogger struct{ s *zap.SugaredLogger }

func (l sdkLogger) Debug(msg string, keyvals ...any) { l.s.Debugw(msg, keyvals...) }
func (l sdkLogger) Info(msg string, keyvals ...any)  { l.s.Infow(msg, keyvals...) }
func (l sdkLogger) Warn(msg string, keyvals ...any)  { l.s.Warnw(msg, keyvals...) }
func (l sdkLogger) Error(msg string, keyvals ...any) { l.s.Errorw(msg, keyvals...) }

// With implements the SDK's optional WithLogger.
func (l sdkLogger) With(keyvals ...any) tlog.Logger { return sdkLogger{l.s.With(keyvals...)} }

// utcClock makes log times UTC, so that lines of several machines sort.
type utcClock struct{}

func (utcClock) Now() time.Time { return time.Now().UTC() }

func (utcClock) NewTicker(d time.Duration) *time.Ticker { return time.NewTicker(d) }
