import Foundation

/// Threads of our own for C code that computes for long: Swift's cooperative pool and event loops must never wait for it.
///
/// Jobs start in the order they were submitted. A thread is made when a job finds none idle, up to `limit`, and stays.
final class ThreadPool: @unchecked Sendable {
    /// Room for flite's recursion over long sentences.
    private static let stackBytes = 2 << 20

    private let name: String
    private let limit: Int
    private let condition = NSCondition()
    // Guarded by `condition`.
    private var jobs: [@Sendable () -> Void] = []
    private var head = 0
    private var threads = 0
    private var idle = 0

    init(name: String, limit: Int) {
        self.name = name
        self.limit = max(1, limit)
    }

    func submit(_ job: @escaping @Sendable () -> Void) {
        condition.lock()
        jobs.append(job)
        if idle < jobs.count - head, threads < limit {
            threads += 1
            start(number: threads)
        }
        condition.signal()
        condition.unlock()
    }

    private func start(number: Int) {
        let thread = Thread { [self] in
            while true { next()() }
        }
        thread.name = "\(name)-\(number)"
        thread.stackSize = Self.stackBytes
        thread.start()
    }

    private func next() -> @Sendable () -> Void {
        condition.lock()
        defer { condition.unlock() }
        idle += 1
        while head == jobs.count { condition.wait() }
        idle -= 1
        let job = jobs[head]
        head += 1
        if head == jobs.count {
            jobs.removeAll(keepingCapacity: true)
            head = 0
        }
        return job
    }
}
