import ArgumentParser
import Base
import Logging
import NIOCore
import Store

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the platform: control plane, dialer and media worker, or some of them.")

    @OptionGroup var options: SettingsOptions
    @Flag(help: "Log debug lines too.") var verbose = false

    func run() async throws {
        let configuration = try Configuration(options)
        try configuration.requireComplete()
        // More loops than cores only take turns at waking up.
        if let cores = Cores.usable { NIOSingletons.groupLoopCountSuggestion = cores }
        let logger = LogSetup.bootstrap(verbose: verbose)
        let platform = Platform(configuration, logger: logger)
        do {
            try await platform.run()
        } catch {
            // A port in use, a database of another schema: one line, not a backtrace.
            logger.critical("cannot run", metadata: ["error": .string("\(error)")])
            throw ExitCode(1)
        }
    }
}

struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring the database to the newest schema. Repeating it changes nothing.")

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let configuration = try Configuration(options)
        guard !configuration.databaseURL.isEmpty else {
            throw ValidationError("PARLEY_DATABASE_URL is not set")
        }
        let logger = LogSetup.bootstrap(verbose: false)
        let directory = try ProgramFiles.locate("migrations", given: configuration.migrations)
        let migrations = try Migration.read(directory: directory)
        let applied = try await Migrator(
            url: configuration.databaseURL, migrations: migrations, logger: logger
        ).run()
        print(
            applied == 0
                ? "the schema is up to date (\(migrations.count) migrations)"
                : "applied \(applied) of \(migrations.count) migrations")
    }
}
