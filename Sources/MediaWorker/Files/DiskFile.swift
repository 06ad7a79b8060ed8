import Base
import Foundation
import Logging
import NIOCore
import NIOPosix

/// A file written in order on the thread pool, so that a slow disk never stops an event loop.
///
/// Used on one event loop. What waits for the disk is bounded: beyond `waitingBytesMax` new bytes are dropped and the
/// file is marked as damaged, the call goes on.
final class DiskFile: @unchecked Sendable {
    static let waitingBytesMax = 1 << 20
    /// Written at once when so much has gathered.
    static let chunkBytes = 32_768
    /// Holds spoken words.
    static let mode: mode_t = 0o600

    let path: String
    private(set) var isDamaged = false
    private(set) var bytes = 0
    private let loop: any EventLoop
    private let pool: NIOThreadPool
    private let logger: Logger
    private var descriptor: CInt = -1
    private var gathered: [UInt8] = []
    private var waitingBytes = 0

    /// Opens on the first write; directories are made as needed.
    init(path: String, on loop: any EventLoop, pool: NIOThreadPool, logger: Logger) {
        self.path = path
        self.loop = loop
        self.pool = pool
        self.logger = logger
    }

    func write(_ more: some Sequence<UInt8>) {
        gathered.append(contentsOf: more)
        if gathered.count >= Self.chunkBytes { flush() }
    }

    func flush() {
        guard !gathered.isEmpty else { return }
        let chunk = gathered
        gathered.removeAll(keepingCapacity: true)
        enqueue(bytes: chunk.count) { chunk }
    }

    /// Writes what `make` gives, `count` bytes, behind everything before, then `header` over the beginning of the
    /// file; `make` runs on the disk's thread.
    func write(bytes count: Int, header: [UInt8], _ make: @escaping @Sendable () -> [UInt8]) {
        flush()
        enqueue(bytes: count, header: header, make)
    }

    private func enqueue(
        bytes count: Int, header: [UInt8] = [], _ make: @escaping @Sendable () -> [UInt8]
    ) {
        guard !isDamaged, waitingBytes + count <= Self.waitingBytesMax else { return damage("disk too slow") }
        bytes += count
        waitingBytes += count
        run({ self.append(make(), header) }) { isWritten in
            self.waitingBytes -= count
            if !isWritten { self.damage("write failed") }
        }
    }

    /// Writes what is left and closes the file. `done` is called on the loop with its size, nil when it is
    /// incomplete.
    func finish(done: @escaping @Sendable (Int?) -> Void) {
        flush()
        run({ self.close() }) { isWritten in done(isWritten && !self.isDamaged ? self.bytes : nil) }
    }

    private func damage(_ reason: String) {
        guard !isDamaged else { return }
        isDamaged = true
        logger.error(
            "a call's file is incomplete", metadata: ["path": .string(path), "reason": .string(reason)])
    }

    /// One item at a time reaches the pool in order: each item is chained to the one before.
    private var last: EventLoopFuture<Void>?

    private func run(_ work: @escaping @Sendable () -> Bool, then: @escaping @Sendable (Bool) -> Void) {
        let before = last ?? loop.makeSucceededVoidFuture()
        last = before.flatMap { self.pool.runIfActive(eventLoop: self.loop) { work() } }
            .recover { _ in false }.map { then($0) }
    }

    /// Pool thread.
    private func append(_ chunk: [UInt8], _ header: [UInt8]) -> Bool {
        if descriptor < 0 {
            let directory = (path as NSString).deletingLastPathComponent
            try? FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            descriptor = open(path, O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, Self.mode)
        }
        guard descriptor >= 0 else { return false }
        return Self.writeAll(descriptor, chunk)
            && (header.isEmpty || pwrite(descriptor, header, header.count, 0) == header.count)
    }

    /// Pool thread.
    private func close() -> Bool {
        guard descriptor >= 0 else { return bytes == 0 }
        let isWritten = Glibc.close(descriptor) == 0
        descriptor = -1
        return isWritten
    }

    static func writeAll(_ descriptor: CInt, _ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { raw in
            var at = 0
            while at < raw.count {
                let count = Glibc.write(descriptor, raw.baseAddress! + at, raw.count - at)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return false }
                at += count
            }
            return true
        }
    }
}
