package stack

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOnlyLoopbackIsListenedOn(t *testing.T) {
	start(t, Options{Apps: DemoApps(0)})
	addresses := listening(t)
	require.GreaterOrEqual(t, len(addresses), 4+1+1+4, "Temporal's services, its UI, Kafka, the apps")
	for _, address := range addresses {
		assert.True(t, strings.HasPrefix(address, "0100007F:"), "%s is not an address of 127.0.0.1", address)
	}
}

// listening returns the local addresses, in hexadecimal as in proc(5), of this process's
// listening sockets.
func listening(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/self/fd/*")
	require.NoError(t, err)
	ours := make(map[string]bool)
	for _, file := range files {
		if target, err := os.Readlink(file); err == nil {
			ours[target] = true
		}
	}
	var addresses []string
	for _, table := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		f, err := os.Open(table)
		require.NoError(t, err)
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			const localAddress, state, inode, listen = 1, 3, 9, "0A"
			fields := strings.Fields(lines.Text())
			if fields[state] == listen && ours[fmt.Sprintf("socket:[%s]", fields[inode])] {
				addresses = append(addresses, fields[localAddress])
			}
		}
	}
	return addresses
}
