import Foundation

/// A `parley serve` of its own process, as an operator would run it, with its output in a file.
///
/// Confined to the `DemoPlatform` that made it; only `stop` leaves it, to wait.
final class ChildProcess: @unchecked Sendable {
    let name: String
    let logPath: String
    private let process = Process()

    /// `core`: the only one it may run on; nil: any.
    init(
        name: String, arguments: [String], environment: [String: String], logDirectory: String,
        core: Int? = nil
    ) throws {
        self.name = name
        logPath = logDirectory + "/\(name).log"
        guard FileManager.default.createFile(atPath: logPath, contents: nil),
            let log = FileHandle(forWritingAtPath: logPath)
        else { throw DemoFailure("cannot write \(logPath)") }
        let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        if let core {
            // It becomes the program, so its process id is the program's.
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = ["taskset", "-c", "\(core)", program.path] + arguments
        } else {
            process.executableURL = program
            process.arguments = arguments
        }
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        process.standardOutput = log
        process.standardError = log
        process.standardInput = FileHandle.nullDevice
    }

    var processID: Int32 { process.processIdentifier }
    var isRunning: Bool { process.isRunning }

    func start() throws { try process.run() }

    /// SIGTERM, then SIGKILL after `stopLimit`.
    func stop() async {
        guard process.isRunning else { return }
        process.terminate()
        for _ in 0..<Self.stopChecks where process.isRunning {
            try? await Task.sleep(for: Self.stopCheckInterval)  // Cancelled: go on to the kill.
        }
        kill()
    }

    func kill() {
        if process.isRunning { Foundation.kill(process.processIdentifier, SIGKILL) }
    }

    private static let stopCheckInterval: Duration = .milliseconds(50)
    private static let stopChecks = 60

    /// The last lines of the output, for a message about a failed start.
    func tail(lines: Int = 15) -> String {
        let text = (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? ""  // No log: nothing to show.
        return text.split(separator: "\n").suffix(lines).joined(separator: "\n")
    }
}

struct DemoFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
