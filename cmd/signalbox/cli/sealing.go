package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/client"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/param"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/pin"
	poolv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pool/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/seal"
)

// sealer seals params to the workspace's key, which is asked for, and held
// against the pinned one, when the first param needs it.
func (a *app) sealer(ctx context.Context, api *client.Clients) param.Seal {
	as := a.sealAs(ctx, api)
	return func(name string, value json.RawMessage) ([]byte, error) {
		envelope, err := as(seal.ParamName(name), value)
		if err != nil {
			return nil, fmt.Errorf("seal the param %s: %w", name, err)
		}
		return envelope, nil
	}
}

// sealAs seals values under the names that they are to be opened with.
func (a *app) sealAs(ctx context.Context, api *client.Clients) param.Seal {
	var sender *seal.Sender
	var binding seal.Binding
	return func(name string, value json.RawMessage) ([]byte, error) {
		if sender == nil {
			where, err := a.herePlace(ctx, api)
			if err != nil {
				return nil, err
			}
			key, err := a.pinnedKey(ctx, api, where)
			if err != nil {
				return nil, err
			}
			if binding.Org, binding.Workspace, err = where.ids(); err != nil {
				return nil, err
			}
			sender = seal.NewSender(key, a.now, a.opts.Random)
		}
		b := binding
		b.Name = name
		return sender.Seal(b, value)
	}
}

// herePlace is the place of the settings in use.
func (a *app) herePlace(ctx context.Context, api *client.Clients) (place, error) {
	s, err := a.settings()
	if err != nil {
		return place{}, err
	}
	return a.place(ctx, api, s)
}

// ids are what envelopes are bound to.
func (p place) ids() (org, ws id.UUID, err error) {
	if org, err = id.Parse(id.Org, p.org.GetId()); err != nil {
		return org, ws, err
	}
	ws, err = id.Parse(id.Workspace, p.ws.GetId())
	return org, ws, err
}

// pinnedKey gets the workspace's public key and refuses one that is not the one
// it was before.
func (a *app) pinnedKey(ctx context.Context, api *client.Clients, where place) (seal.PublicKey, error) {
	key, err := a.offeredKey(client.Preparing(ctx), api, where)
	if err != nil {
		return key, err
	}
	dir, err := a.configDir()
	if err != nil {
		return key, err
	}
	w, err := a.pinnedAs(where)
	if err != nil {
		return key, err
	}
	first, err := pin.Check(dir, w, key.Fingerprint(), a.now())
	var changed *pin.ChangedError
	switch {
	case errors.As(err, &changed):
		return key, exit.New(exit.Denied, "%s", changed.Error()).Because(err).Advise(
			"nothing was sealed and nothing sent. Either the workspace's key was rotated, or the server offers a key of somebody else, who could then read your values. "+
				"Ask whoever runs the agents for the fingerprint (`signalbox-agent key fingerprint`); if it is %s, accept it with `signalbox workspace key --trust '%s'`",
			changed.Offered, changed.Offered)
	case err != nil:
		return key, err
	case first:
		a.note("Sealing to the key of %s, seen for the first time: %s", where.name(), key.Fingerprint())
	}
	return key, nil
}

func (a *app) pinnedAs(where place) (pin.Workspace, error) {
	s, err := a.settings()
	return pin.Workspace{Server: s.Server.Value, Name: where.name(), ID: where.ws.GetId()}, err
}

// offeredKey is the key that the service offers, believed in nothing but its bytes.
func (a *app) offeredKey(ctx context.Context, api *client.Clients, where place) (seal.PublicKey, error) {
	res, err := api.Pool.GetSealingKey(ctx, &poolv1.GetSealingKeyRequest{})
	if err != nil {
		return seal.PublicKey{}, err
	}
	if len(res.GetSealingKey().GetPublicKey()) == 0 {
		return seal.PublicKey{}, noKeyYet(where)
	}
	key, err := seal.ParsePublicKey(res.GetSealingKey().GetPublicKey())
	if err != nil {
		return key, exit.New(exit.Failed, "the server offers a sealing key that is none").Because(err)
	}
	return key, nil
}

func noKeyYet(where place) error {
	e := exit.New(exit.Conflict, "workspace %s has no sealing key yet, so nothing can be sealed to it", where.name()).
		Advise("its first agent makes the key: start one (`signalbox pool join-token POOL` prints the command), then repeat this")
	e.Reason = "SEALING_KEY_MISSING"
	return e
}

func (a *app) workspaceKeyCommand() *cobra.Command {
	var trust string
	c := a.command("key", "Show the workspace's sealing key, and whether this program knows it", noArgs, func(ctx context.Context, _ []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		where, err := a.herePlace(ctx, api)
		if err != nil {
			return err
		}
		key, err := a.offeredKey(ctx, api, where)
		if err != nil {
			return err
		}
		dir, err := a.configDir()
		if err != nil {
			return err
		}
		w, err := a.pinnedAs(where)
		if err != nil {
			return err
		}
		if trust != "" {
			if !sameFingerprint(trust, key.Fingerprint()) {
				return exit.Wrongf("the server offers %s, which is not the fingerprint that you gave", key.Fingerprint()).
					Advise("do not send values there before you know why")
			}
			if err := pin.Trust(dir, w, key.Fingerprint(), a.now()); err != nil {
				return err
			}
		}
		known, err := pin.Known(dir, w)
		if err != nil {
			return err
		}
		return a.printLocal(keyForms(where, key, known))
	})
	c.Flags().StringVar(&trust, "trust", "", "accept the key if it has this `FINGERPRINT`, which you got from whoever runs the agents")
	return c
}

func keyForms(where place, key seal.PublicKey, known string) (output.Object, output.Block) {
	state := output.Cell{Text: "not seen before", Tone: output.Plain}
	switch known {
	case "":
	case key.Fingerprint():
		state = output.Cell{Text: "the one that is known", Tone: output.Good}
	default:
		state = output.Cell{Text: "NOT the one that is known: " + known, Tone: output.Bad}
	}
	s := &output.Sheet{}
	s.Add("workspace", output.Text(where.name()))
	s.Add("kid", output.Text(key.KID().String()))
	s.Add("fingerprint", output.Text(key.Fingerprint()))
	s.Add("this key is", state)
	return output.Object{
		{Name: "workspace", Value: where.name()},
		{Name: "kid", Value: key.KID().String()},
		{Name: "fingerprint", Value: key.Fingerprint()},
		{Name: "publicKey", Value: output.Base64(key.Bytes())},
		{Name: "known", Value: known},
	}, s
}

// sameFingerprint compares as people copy: with or without the blanks.
func sameFingerprint(a, b string) bool {
	return strings.EqualFold(strings.Join(strings.Fields(a), ""), strings.Join(strings.Fields(b), ""))
}
