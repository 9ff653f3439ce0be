package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/signalboxhq/signalbox/agent/value"
)

const keyringFile = "workspace.keys"

// maxKeys bounds what `key import` reads.
const maxKeys = 1 << 20

// key is `key export` and `key import`. Keys go through standard input and
// output only: an argument would show in the list of processes.
func (a *app) key(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	loaded, err := a.load(ctx, args[1:])
	if err != nil {
		return err
	}
	if err := os.MkdirAll(loaded.Config.Dir, 0o700); err != nil {
		return fmt.Errorf("make the agent's folder: %w", err)
	}
	keyring, err := value.OpenKeyring(filepath.Join(loaded.Config.Dir, keyringFile))
	if err != nil {
		return err
	}
	switch args[0] {
	case "export":
		return a.exportKeys(keyring)
	case "import":
		return a.importKeys(keyring)
	}
	return errUsage
}

func (a *app) exportKeys(keyring *value.Keyring) error {
	if len(keyring.Ring().Keys()) == 0 {
		return errors.New("this agent holds no workspace key yet: the first agent of a workspace makes it at its first start")
	}
	_, err := io.WriteString(a.stdout, keyring.Ring().Export())
	return err
}

func (a *app) importKeys(keyring *value.Keyring) error {
	text, err := io.ReadAll(io.LimitReader(a.stdin, maxKeys))
	if err != nil {
		return fmt.Errorf("read the keys: %w", err)
	}
	added, err := keyring.Import(string(text))
	if err != nil {
		return err
	}
	if len(added.Keys()) == 0 {
		return errors.New("nothing to import: give what `signalbox-agent key export` writes on standard input")
	}
	for _, key := range added.Keys() {
		if _, err := fmt.Fprintf(a.stdout, "imported %s\n", key.Fingerprint()); err != nil {
			return err
		}
	}
	_, err = io.WriteString(a.stdout, "an agent that is running with this folder takes it up within seconds\n")
	return err
}
