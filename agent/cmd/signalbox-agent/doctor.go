package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/signalboxhq/signalbox/agent/config"
	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/agent/policy"
	"github.com/signalboxhq/signalbox/agent/value"
)

// maxSkew is how far this machine's clock may be off before it is worth a word.
// The agent itself corrects it.
const maxSkew = 30 * time.Second

// check is one thing that doctor looks at: what it found, or what is wrong.
type check struct {
	name string
	look func(context.Context) (found string, err error)
}

// doctor is `doctor`. It changes nothing but what a start would: the agent's
// folder, and a key in it.
func (a *app) doctor(ctx context.Context, args []string) error {
	loaded, err := a.load(ctx, args)
	if err != nil {
		return err
	}
	_ = recall(&loaded.Config) // what is wrong with the identity has its own line
	sick := false
	for _, c := range checks(&loaded.Config) {
		found, err := c.look(ctx)
		mark := "ok  "
		if err != nil {
			mark, found, sick = "FAIL", err.Error(), true
		}
		if _, err := fmt.Fprintf(a.stdout, "%s  %-14s %s\n", mark, c.name, found); err != nil {
			return err
		}
	}
	if sick {
		return errShown
	}
	return nil
}

func checks(c *config.Config) []check {
	list := []check{
		{"settings", func(context.Context) (string, error) { return c.Server, c.Validate() }},
		{"folder", func(context.Context) (string, error) { return c.Dir, writable(c.Dir) }},
		{"policy", func(context.Context) (string, error) {
			if c.Policy == "" {
				return "none: everything is allowed", nil
			}
			_, err := policy.Load(c.Policy)
			return c.Policy, err
		}},
	}
	if c.Server != "" { // else there is nobody to ask, as settings said
		list = append(list, remoteChecks(c)...)
	}
	return append(list,
		check{"workspace key", func(context.Context) (string, error) { return heldKeys(c) }},
		check{"capacity", func(context.Context) (string, error) {
			capacity := capacityOf(c)
			return fmt.Sprintf("%d slots, %g cores, %d MiB", capacity.Slots, float64(capacity.CPUMillis)/1000, capacity.MemoryBytes>>20), nil
		}},
		check{"gpus", func(ctx context.Context) (string, error) {
			found, err := finderOf(c).Find(ctx)
			text := describeGPUs(found)
			if found.Remark != "" {
				text += ": " + found.Remark
			}
			return text, err
		}},
	)
}

// remoteChecks ask the control plane.
func remoteChecks(c *config.Config) []check {
	clock := link.NewClock(time.Now)
	return []check{
		{"control plane", func(ctx context.Context) (string, error) { return reach(ctx, c.Server) }},
		{"identity", func(ctx context.Context) (string, error) { return recognized(ctx, c, clock) }},
		{"clock", func(context.Context) (string, error) {
			if skew := clock.Skew(); skew.Abs() > maxSkew {
				return fmt.Sprintf("%v behind the control plane's; the agent corrects it", skew.Round(time.Second)), nil
			}
			return "agrees with the control plane's", nil
		}},
	}
}

func writable(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	probe := filepath.Join(dir, "doctor")
	if err := os.WriteFile(probe, []byte("x"), 0o600); err != nil {
		return err
	}
	return os.Remove(probe)
}

// reach asks for anything at all: DNS, proxy, TLS and the way there.
func reach(ctx context.Context, server string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server+"/healthz", http.NoBody)
	if err != nil {
		return "", err
	}
	begin := time.Now()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	_ = response.Body.Close()
	return fmt.Sprintf("answers within %v", time.Since(begin).Round(time.Millisecond)), nil
}

// recognized checks that the control plane takes this agent for what it is.
func recognized(ctx context.Context, c *config.Config, clock *link.Clock) (string, error) {
	path := filepath.Join(c.Dir, identityFile)
	identity, err := link.LoadIdentity(path)
	if err != nil {
		return "", err
	}
	if !identity.Enrolled() {
		if c.Token.Reveal() == "" {
			return "", errNoToken
		}
		return "not joined yet; a token is there", nil
	}
	client := link.NewClient(link.Options{Server: c.Server, Identity: identity, Path: path, Clock: clock})
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := client.CheckAccess(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, pool %s", identity.Agent, identity.PoolName), nil
}

func heldKeys(c *config.Config) (string, error) {
	keyring, err := value.OpenKeyring(filepath.Join(c.Dir, keyringFile))
	if err != nil {
		return "", err
	}
	if len(keyring.Ring().Keys()) == 0 {
		return "none: the first agent of a workspace makes it at its first start; on any other, `signalbox-agent key import` is needed for tasks with sealed inputs", nil
	}
	kids := []string{"holds"}
	for _, kid := range keyring.Ring().KIDs() {
		kids = append(kids, kid.String())
	}
	return strings.Join(kids, " "), nil
}
