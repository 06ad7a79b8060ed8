package import Base

/// Is a tool taking too long? Knows which tools run, when a filler is due and when to give one up. Pure.
package struct ToolRuns: Sendable {
    /// Beyond the tool's own time limit: the runner answers long before; this is for a runner that does
    /// not.
    package static let graceMs = 15_000

    package struct Run: Hashable, Sendable {
        package var key: String
        package var name: String
        package var startedAt: CallTime
        /// Begun on a guess at the caller's turn: nobody waits for it yet.
        package var isAhead: Bool
        var fillerAt: CallTime?
        var filler: String
        var limitAt: CallTime
    }

    package enum Effect: Hashable, Sendable {
        case sayFiller(String)
        case gaveUp(Run)
    }

    private var runs: [Run] = []
    package init() {}

    package var isRunning: Bool { !runs.isEmpty }
    package var deadline: CallTime? {
        runs.lazy.map { min($0.isAhead ? $0.limitAt : $0.fillerAt ?? $0.limitAt, $0.limitAt) }.min()
    }

    package mutating func start(key: String, tool: Tool, isAhead: Bool = false, at now: CallTime) {
        // Sent again after a takeover: the same run.
        _ = finish(key)
        runs.append(
            Run(
                key: key, name: tool.name, startedAt: now, isAhead: isAhead,
                fillerAt: tool.filler == nil ? nil : now + .milliseconds(tool.fillerAfterMs),
                filler: tool.filler ?? "",
                limitAt: now + .milliseconds(tool.timeoutMs + Self.graceMs)))
    }

    /// The run that has ended; nil for a key that is not running (late, repeated, foreign).
    package mutating func finish(_ key: String) -> Run? {
        guard let index = runs.firstIndex(where: { $0.key == key }) else { return nil }
        return runs.remove(at: index)
    }

    /// The guess was right: what was begun on it is waited for.
    package mutating func adoptAhead() { for index in runs.indices { runs[index].isAhead = false } }

    /// The guess was wrong: gives the runs that nobody will wait for.
    package mutating func dropAhead() -> [Run] {
        defer { runs.removeAll(where: \.isAhead) }
        return runs.filter(\.isAhead)
    }

    /// Called at `deadline` or later. A filler is due once a run, however many tools are slow.
    package mutating func handleDeadline(at now: CallTime) -> [Effect] {
        var effects: [Effect] = []
        for index in runs.indices {
            guard !runs[index].isAhead, let due = runs[index].fillerAt, due <= now else { continue }
            runs[index].fillerAt = nil
            if effects.isEmpty { effects.append(.sayFiller(runs[index].filler)) }
        }
        for run in runs where run.limitAt <= now { effects.append(.gaveUp(run)) }
        runs.removeAll { $0.limitAt <= now }
        return effects
    }
}
