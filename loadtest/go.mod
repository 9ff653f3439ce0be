module github.com/signalboxhq/signalbox/loadtest

go 1.26

require github.com/signalboxhq/signalbox/proto v0.0.0

replace github.com/signalboxhq/signalbox/proto => ../proto
