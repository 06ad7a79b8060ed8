import ArgumentParser

@main
struct Parley: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "parley",
        abstract: "A self-hosted, multi-tenant platform for AI voice agents.",
        subcommands: [
            Serve.self, Migrate.self, Demo.self, ChatCommand.self, Replay.self, ReportCommand.self,
            HearCommand.self, RouteCommand.self, Simulate.self, Bench.self,
        ])
}
