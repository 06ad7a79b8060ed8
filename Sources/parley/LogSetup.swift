import Logging

enum LogSetup {
    /// Sends log lines to standard error, once per process.
    static func bootstrap(verbose: Bool, level: Logger.Level = .info) -> Logger {
        let threshold = verbose ? Logger.Level.debug : level
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = threshold
            return handler
        }
        return Logger(label: "parley")
    }
}
