package seal_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/proto/seal"
)

func TestIndexesDoNotCount(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"train": "outputs.train.auc", "train[3]": "outputs.train.auc", "fold[3]/train[1][0]": "outputs.fold/train.auc",
		"plan/fit-1": "outputs.plan/fit-1.auc", "train[3,1]": "outputs.train.auc",
	} {
		require.Equal(t, want, seal.OutputName(path, "auc"))
	}
	require.Equal(t, "message.fold/vote", seal.MessageName("fold[2]/vote"))
}
