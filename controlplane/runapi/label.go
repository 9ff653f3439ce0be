package runapi

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/signalboxhq/signalbox/controlplane/rundb"
	"github.com/signalboxhq/signalbox/internal/fault"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

const maxLabelValue = 128

// labelKey is the rule for labels given at start. Those of the file were judged
// by the compiler.
var labelKey = regexp.MustCompile(`^[a-z0-9_.-]{1,63}$`)

// mergeLabels puts the labels of a start over those of its pipeline. Errors:
// INVALID_ARGUMENT with a violation for each label that is wrong.
func mergeLabels(pipeline, given map[string]string) (map[string]string, error) {
	var wrong []fault.Violation
	refuse := func(path, want, text string) {
		wrong = append(wrong, fault.Violation{Path: path, Want: want, Text: text})
	}
	for _, k := range slices.Sorted(maps.Keys(given)) {
		if v := given[k]; !labelKey.MatchString(k) {
			refuse("labels."+clip(k), "a-z, 0-9, _ . and -, at most 63",
				fmt.Sprintf("label %q: a key is made of a-z, 0-9, _ . and -, at most 63 of them", clip(k)))
		} else if len(v) > maxLabelValue || !utf8.ValidString(v) || strings.ContainsFunc(v, unicode.IsControl) {
			refuse("labels."+k, fmt.Sprintf("one line of at most %d bytes", maxLabelValue),
				fmt.Sprintf("label %s: a value is one line of at most %d bytes", k, maxLabelValue))
		}
	}
	merged := make(map[string]string, len(pipeline)+len(given))
	maps.Copy(merged, pipeline)
	maps.Copy(merged, given)
	if len(merged) > rundb.MaxLabels {
		refuse("labels", fmt.Sprintf("at most %d", rundb.MaxLabels),
			fmt.Sprintf("a run has at most %d labels, those of its pipeline included; these are %d", rundb.MaxLabels, len(merged)))
	}
	if len(wrong) > 0 {
		return nil, invalidLabels(wrong)
	}
	return merged, nil
}

// filterOf reads what to list. Errors: INVALID_ARGUMENT.
func filterOf(req *runv1.ListRunsRequest) (rundb.Filter, error) {
	f := rundb.Filter{
		Pipeline: req.GetPipeline(), States: req.GetStates(),
		PageSize: int(min(req.GetPageSize(), rundb.MaxPage)), PageToken: req.GetPageToken(),
	}
	for _, text := range req.GetLabels() {
		k, v, ok := strings.Cut(text, "=")
		if !ok || k == "" {
			return f, invalidLabels([]fault.Violation{{
				Path: "labels", Want: "key=value", Got: clip(text), Text: fmt.Sprintf("%q is no label: want key=value", clip(text)),
			}})
		}
		f.Labels = append(f.Labels, rundb.Label{Key: k, Value: v})
	}
	if t := req.GetSince(); t != nil {
		since := t.AsTime()
		f.Since = &since
	}
	if t := req.GetUntil(); t != nil {
		until := t.AsTime()
		f.Until = &until
	}
	return f, nil
}

func clip(text string) string {
	const most = 80
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
