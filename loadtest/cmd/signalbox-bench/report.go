package main

import (
	"errors"
	"flag"
	"io"
	"path/filepath"

	"github.com/signalboxhq/signalbox/loadtest/report"
)

func reportCommand(args []string, out io.Writer) error {
	var curves string
	flags := flag.NewFlagSet("report", flag.ContinueOnError)
	flags.StringVar(&curves, "curves", "", "a folder for SVG curves")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return errors.New("no result is named")
	}
	var results []report.Result
	for _, path := range flags.Args() {
		r, err := report.Read(filepath.Clean(path))
		if err != nil {
			return err
		}
		results = append(results, r)
	}
	if curves != "" {
		if err := report.Curves(curves, results); err != nil {
			return err
		}
	}
	return report.Table(out, results)
}
