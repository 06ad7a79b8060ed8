import Base

/// How long a model takes to its first token, of late. Pure.
struct FirstTokenPace: Hashable, Sendable {
    /// Newest times that are looked at.
    static let window = 100
    /// Fewer say nothing of a 95th percentile.
    static let samplesMin = 20
    /// A first token is waited for at most so long before another model is asked.
    static let patienceMax: Duration = .milliseconds(700)
    /// And at least so long: the spread of a very regular vendor is not worth a second request.
    static let patienceMin: Duration = .milliseconds(150)

    private var times: [Duration] = []
    private var next = 0

    init() {}

    /// Of a request that was given up before its first token the time until then: it would have been longer.
    mutating func add(_ time: Duration) {
        if times.count < Self.window {
            times.append(time)
        } else {
            times[next] = time
        }
        next = (next + 1) % Self.window
    }

    /// nil while too little is known.
    var p95: Duration? {
        guard times.count >= Self.samplesMin else { return nil }
        return times.sorted()[(times.count * 95 + 99) / 100 - 1]
    }

    /// nil before the first.
    var median: Duration? {
        times.isEmpty ? nil : times.sorted()[times.count / 2]
    }

    /// How long to wait before a hedge.
    var patience: Duration { min(max(p95 ?? Self.patienceMax, Self.patienceMin), Self.patienceMax) }
}
