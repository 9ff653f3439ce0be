// The example of the repository, so that what is applied from here is what its
// README explains.
import source from "../../../../examples/hello/pipeline.yaml?raw";

export const helloName = "hello";
export const helloSource: string = source;
