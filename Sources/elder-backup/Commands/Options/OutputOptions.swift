import ArgumentParser

/// How a command prints. May also stand before the command, since the root has the same group under the same name.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print exactly one JSON object on standard output.")
    var json = false

    var console: Console { Console(json: json) }
}
