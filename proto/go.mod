module github.com/signalboxhq/signalbox/proto

go 1.26
