package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"slices"
	"strconv"
	"syscall"
)

// account is the user that PostgreSQL runs as: ourselves, or an unprivileged
// one when we are root, as whom PostgreSQL refuses to run.
type account struct {
	other    bool
	uid, gid int
}

func findAccount() (account, error) {
	if os.Geteuid() != 0 {
		return account{uid: os.Geteuid(), gid: os.Getegid()}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err := errors.Join(err1, err2); err != nil {
			return account{}, fmt.Errorf("read the ids of user %s: %w", name, err)
		}
		return account{other: true, uid: uid, gid: gid}, nil
	}
	return account{}, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor nobody to run it as")
}

// run makes cmd run as the account.
func (a account) run(cmd *exec.Cmd) *exec.Cmd {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	if a.other {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
	return cmd
}

// own makes dir a private folder of the account: 0700, because whoever reaches
// the socket in it is let in without a password. A folder that somebody else
// put there first is refused.
func (a account) own(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	if err := owned(dir, a.uid, os.Geteuid()); err != nil {
		return err
	}
	if err := os.Chown(dir, a.uid, a.gid); err != nil {
		return err
	}
	return os.Chmod(dir, 0o700) //nolint:gosec // A folder needs its x bit.
}

// owned refuses dir unless it is a real folder of one of the users.
func owned(dir string, uids ...int) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok {
		return fmt.Errorf("%s is not a folder", dir)
	}
	if slices.Contains(uids, int(st.Uid)) {
		return nil
	}
	return fmt.Errorf("%s belongs to another user (%d)", dir, st.Uid)
}

// reaches reports whether the account can work in dir. The kernel is asked
// rather than the mode bits read: there are also ACLs and mount options.
func (a account) reaches(ctx context.Context, dir string) bool {
	if !a.other {
		return true
	}
	cmd := a.run(exec.CommandContext(ctx, "/bin/sh", "-c", "[ -x . ] && [ -r . ]"))
	cmd.Dir = dir // The child changes its folder after its user.
	return cmd.Run() == nil
}
