import Base
package import CallDispatch
package import Crypto
import Foundation
package import Logging

/// Facts on disk while the control plane is away, each sealed with a key derived from the worker key.
///
/// One file per worker process, locked while that process lives, so that a later process can tell which files are
/// left behind. A record is its length (4 bytes, big-endian) and the sealed JSON of one `Report`; a torn last
/// record is ignored. Used by one task at a time.
package final class ReportSpool: @unchecked Sendable {
    /// Beyond it only last facts (`ended`) are kept.
    package static let bytesMax = 64 << 20
    private static let recordBytesMax = 1 << 20
    private static let suffix = ".spool"

    private let directory: String
    private let path: String
    private let key: SymmetricKey
    private let logger: Logger
    private var descriptor: CInt = -1
    private var bytes = 0

    package init(directory: String, worker: String, key: SymmetricKey, logger: Logger) {
        self.directory = directory
        path = directory + "/" + worker + Self.suffix
        self.key = Seal.key(from: key, for: "parley report spool v1")
        self.logger = logger
    }

    /// Appends the reports; false when they could not be kept.
    package func append(_ reports: [Report]) -> Bool {
        guard openFile() else { return false }
        var records: [UInt8] = []
        for report in reports {
            if bytes + records.count > Self.bytesMax, !report.fact.isLast { continue }
            guard let text = try? JSONEncoder().encode(report),
                let sealed = try? Seal.close(Array(text), with: key)
            else { return false }
            withUnsafeBytes(of: UInt32(sealed.count).bigEndian) { records.append(contentsOf: $0) }
            records.append(contentsOf: sealed)
        }
        bytes += records.count
        return DiskFile.writeAll(descriptor, records) && fdatasync(descriptor) == 0
    }

    /// All of this worker's own facts have been delivered.
    package func empty() {
        guard descriptor >= 0, bytes > 0 else { return }
        ftruncate(descriptor, 0)
        bytes = 0
    }

    private func openFile() -> Bool {
        if descriptor >= 0 { return true }
        try? FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let file = open(path, O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, DiskFile.mode)
        guard file >= 0, flock(file, LOCK_EX | LOCK_NB) == 0 else {
            if file >= 0 { close(file) }
            logger.error("the report spool cannot be opened", metadata: ["path": .string(path)])
            return false
        }
        descriptor = file
        return true
    }

    /// Removes the file if nothing is in it; for the end of the process.
    package func close() {
        guard descriptor >= 0 else { return }
        if bytes == 0 { unlink(path) }
        Glibc.close(descriptor)
        descriptor = -1
    }

    private func close(_ file: CInt) { Glibc.close(file) }

    /// What dead workers left: path and facts in order. The caller delivers them and then `remove`s the file.
    package func leftBehind() -> [(path: String, reports: [Report])] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.sorted().filter { $0.hasSuffix(Self.suffix) }.compactMap { name in
            let path = directory + "/" + name
            guard path != self.path, isAbandoned(path), let reports = read(path) else { return nil }
            return (path, reports)
        }
    }

    package func remove(_ path: String) { unlink(path) }

    private func isAbandoned(_ path: String) -> Bool {
        let file = open(path, O_RDWR | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        return flock(file, LOCK_EX | LOCK_NB) == 0
    }

    private func read(_ path: String) -> [Report]? {
        guard let file = FileManager.default.contents(atPath: path) else { return nil }
        let bytes = Array(file)
        var reports: [Report] = []
        var at = 0
        while at + 4 <= bytes.count {
            let count = bytes[at..<(at + 4)].reduce(0) { $0 << 8 | Int($1) }
            guard count <= Self.recordBytesMax, at + 4 + count <= bytes.count else { break }
            // A record under another key is someone else's: skipped, the rest still counts.
            if let text = Seal.open(Array(bytes[(at + 4)..<(at + 4 + count)]), with: key),
                let report = try? JSONDecoder().decode(Report.self, from: Data(text))
            {
                reports.append(report)
            }
            at += 4 + count
        }
        return reports
    }
}

extension CallFact {
    /// Nothing follows it.
    var isLast: Bool { if case .ended = self { true } else { false } }

    /// Tells of a file of the call's.
    var isFile: Bool {
        switch self {
        case .artifactStarted, .artifact: true
        default: false
        }
    }
}
