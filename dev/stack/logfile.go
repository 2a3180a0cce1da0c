package stack

import (
	"os"
	"path/filepath"
	"sync"
)

func logPath(dir, name string) string { return filepath.Join(dir, name+".log") }

func openLog(dir, name string) (*os.File, error) {
	return os.OpenFile(logPath(dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
}

// serverLog is the log of a server. It drops what the server still writes after it was
// stopped.
type serverLog struct {
	mu   sync.Mutex
	file *os.File // nil once closed
}

func (l *serverLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return len(p), nil
	}
	return l.file.Write(p)
}

// Sync implements zapcore.WriteSyncer.
func (l *serverLog) Sync() error { return nil }

func (l *serverLog) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.file.Close()
	l.file = nil
}
