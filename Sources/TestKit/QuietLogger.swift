package import Logging

extension Logger {
    /// Tests look at behaviour, not at lines.
    package static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}
