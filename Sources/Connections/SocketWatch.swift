package import Dispatch
import Glibc

/// Tells when a socket can be read or written. Calls are made under the owner's lock or on its queue.
///
/// The sources watch duplicates of the descriptor, so the library may close its own at any time; a source
/// that is suspended or was never activated traps when released, so `cancel` resumes before it cancels. On Linux a
/// source whose peer hung up fires once more and never again: read until `hasInput` says no.
package final class SocketWatch: @unchecked Sendable {
    private let reading: any DispatchSourceRead
    private let writing: any DispatchSourceWrite
    private var isReading = false
    private var isWriting = false
    private var isCancelled = false

    /// Nil when the process has no descriptor left. Both directions start switched off.
    package init?(
        _ descriptor: Int32, on queue: DispatchQueue,
        readable: @escaping @Sendable () -> Void, writable: @escaping @Sendable () -> Void
    ) {
        let forReading = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard forReading >= 0 else { return nil }
        let forWriting = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard forWriting >= 0 else {
            close(forReading)
            return nil
        }
        reading = DispatchSource.makeReadSource(fileDescriptor: forReading, queue: queue)
        writing = DispatchSource.makeWriteSource(fileDescriptor: forWriting, queue: queue)
        reading.setEventHandler(handler: readable)
        writing.setEventHandler(handler: writable)
        reading.setCancelHandler { close(forReading) }
        writing.setCancelHandler { close(forWriting) }
        // Activated once here, so that from now on only suspend and resume are balanced.
        reading.suspend()
        reading.activate()
        writing.suspend()
        writing.activate()
    }

    deinit { cancel() }

    package func read(_ isWanted: Bool) {
        guard !isCancelled, isWanted != isReading else { return }
        isReading = isWanted
        isWanted ? reading.resume() : reading.suspend()
    }

    package func write(_ isWanted: Bool) {
        guard !isCancelled, isWanted != isWriting else { return }
        isWriting = isWanted
        isWanted ? writing.resume() : writing.suspend()
    }

    /// There is something to read, the end of the stream included.
    package static func hasInput(_ descriptor: Int32) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) > 0
    }

    package func cancel() {
        guard !isCancelled else { return }
        read(true)
        write(true)
        isCancelled = true
        reading.cancel()
        writing.cancel()
    }
}
