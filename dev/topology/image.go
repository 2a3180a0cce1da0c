package topology

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/tenurehq/tenure/dev/process"
)

// imageUser is the user of the image: see the Dockerfile.
const imageUser = 10001

func (t *Topology) image() string { return filepath.Join(t.dir, "image") }

// makeImage makes the root that the last stage of the Dockerfile makes, and what
// docker-compose.yml mounts there.
func (t *Topology) makeImage() error {
	for _, folder := range []string{"usr/local/bin", "etc/ssl/certs", "etc/tenure/directory", "var/lib/tenure", "proc", "tmp"} {
		if err := os.MkdirAll(filepath.Join(t.image(), folder), 0o755); err != nil { //nolint:gosec // as in an image: another user runs there
			return err
		}
	}
	for from, to := range map[string]string{
		filepath.Join(t.opts.Bin, "worker"):  "usr/local/bin/worker",
		filepath.Join(t.opts.Bin, "starter"): "usr/local/bin/starter",
		filepath.Join(t.opts.Bin, "tenure"):  "usr/local/bin/tenure",
		"/etc/ssl/certs/ca-certificates.crt": "etc/ssl/certs/ca-certificates.crt",
		t.directoryCA():                      "etc/tenure/directory/ca.pem",
	} {
		content, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(t.image(), to), content, 0o755); err != nil { //nolint:gosec // likewise
			return err
		}
	}
	return nil
}

// confine has a process of Tenure's run in the image, with what it is given and no
// more.
func (t *Topology) confine(opts *process.Options, program string) error {
	config := "/etc/tenure/" + opts.Name + ".yaml"
	path := filepath.Join(t.image(), config)
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		return err
	}
	if err := t.render(opts.Name, path, "/etc/tenure/directory/ca.pem"); err != nil {
		return err
	}
	if err := os.Chown(path, imageUser, imageUser); err != nil {
		return err
	}
	// With what a container engine puts there, and nothing else that can be written.
	const enter = `mount --bind "$1" "$1" && mount -t proc proc "$1/proc" && mount -t tmpfs -o mode=1777 tmpfs "$1/tmp" &&
		mount -o remount,ro,bind "$1" && cd "$1" && exec chroot --userspec="$2:$2" "$1" "/usr/local/bin/$3"`
	opts.Path, opts.Args = unshare, []string{"--mount", "--propagation", "private", "/bin/sh", "-c", enter, "sh", t.image(), strconv.Itoa(imageUser), program}
	env := append(t.secrets(), "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TENURE_CONFIG="+config)
	for _, variable := range opts.Env {
		if strings.HasPrefix(variable, "TEMPORAL_") && !strings.HasPrefix(variable, "TEMPORAL_CONFIG_FILE=") { // there is none
			env = append(env, variable)
		}
	}
	opts.Env = env
	return nil
}
