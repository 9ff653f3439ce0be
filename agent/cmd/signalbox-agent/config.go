package main

import (
	"context"
	"slices"
)

// config is `config print`.
func (a *app) config(ctx context.Context, args []string) error {
	if len(args) == 0 || args[0] != "print" {
		return errUsage
	}
	isOrigin := func(arg string) bool { return arg == "--origin" || arg == "-origin" }
	loaded, err := a.load(ctx, slices.DeleteFunc(slices.Clone(args[1:]), isOrigin))
	if err != nil {
		return err
	}
	return loaded.Print(a.stdout, slices.ContainsFunc(args, isOrigin))
}
