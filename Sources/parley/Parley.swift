import ArgumentParser
@preconcurrency import Glibc

@main
struct Parley: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "parley",
        abstract: "A self-hosted, multi-tenant platform for AI voice agents.",
        subcommands: [
            Serve.self, Migrate.self, Demo.self, ChatCommand.self, Replay.self, ReportCommand.self,
            HearCommand.self, RouteCommand.self, Simulate.self, Bench.self,
        ])

    /// Lines are shown as they come, also where standard output is a file or a pipe.
    static func main() async {
        setvbuf(stdout, nil, _IOLBF, 0)
        await main(nil)
    }
}
