module github.com/signalboxhq/signalbox

go 1.26

ignore ./frontend/node_modules

require github.com/signalboxhq/signalbox/proto v0.0.0

replace github.com/signalboxhq/signalbox/proto => ./proto
