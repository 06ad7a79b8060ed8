import Foundation

/// Lets as many threads compute as there are cores, and among the waiting ones always the one that has delivered least.
///
/// So twenty sentences that start at once all get their first sound before any gets its last.
final class Turnstile: @unchecked Sendable {
    private let condition = NSCondition()
    // Guarded by `condition`.
    private var free: Int
    private var waiting: [Int: Int] = [:]
    private var tickets = 0

    init(places: Int) { free = max(1, places) }

    /// Waits for a place. `delivered` is any growing measure of what this job already had.
    func enter(delivered: Int) {
        condition.lock()
        defer { condition.unlock() }
        tickets += 1
        let ticket = tickets
        waiting[ticket] = delivered
        while free == 0 || !isFirst(ticket) { condition.wait() }
        waiting[ticket] = nil
        free -= 1
    }

    func leave() {
        condition.lock()
        free += 1
        condition.broadcast()
        condition.unlock()
    }

    /// Gives the place up when someone waits who has less than `delivered - slack`, and takes one again.
    func giveWay(delivered: Int, slack: Int) {
        condition.lock()
        let mustWait = waiting.values.contains { $0 < delivered - slack }
        condition.unlock()
        guard mustWait else { return }
        leave()
        enter(delivered: delivered)
    }

    private func isFirst(_ ticket: Int) -> Bool {
        guard let own = waiting[ticket] else { return false }
        return !waiting.contains { $0.value < own || ($0.value == own && $0.key < ticket) }
    }
}
