import Base
import Foundation
import TestKit

/// The program itself, as it was built beside the tests.
struct Program {
    var status: Int32
    var out: String
    var err: String

    /// `environment`: beside the one that the tests have. `input`: what is typed. `folder`: where it is started.
    static func run(
        _ arguments: [String], environment: [String: String] = [:], input: String = "",
        in folder: String? = nil
    ) async throws -> Program {
        let directory = ScratchDirectory()
        func file(_ name: String) throws -> (URL, FileHandle) {
            let url = URL(filePath: directory.path).appending(path: name)
            try Data().write(to: url)
            return (url, try FileHandle(forWritingTo: url))
        }
        let (out, err) = (try file("out"), try file("err"))
        let process = Process()
        process.executableURL = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appending(path: "parley")
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let typed = URL(filePath: directory.path).appending(path: "in")
        try Data(input.utf8).write(to: typed)
        process.standardInput = try FileHandle(forReadingFrom: typed)
        if let folder { process.currentDirectoryURL = URL(filePath: folder) }
        process.standardOutput = out.1
        process.standardError = err.1
        let status = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        return Program(
            status: status, out: try String(contentsOf: out.0, encoding: .utf8),
            err: try String(contentsOf: err.0, encoding: .utf8))
    }

    /// Each line of what was written; null for one that is no JSON.
    var json: [JSON] { out.split(separator: "\n").map { JSON(parsing: String($0)) ?? .null } }
}
