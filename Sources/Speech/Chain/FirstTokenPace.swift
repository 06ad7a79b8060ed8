import Base

/// How long a model takes to its first token, of late. Pure.
struct FirstTokenPace: Hashable, Sendable {
    /// Newest times that are looked at.
    static let window = 100
    /// Fewer say nothing of a 95th percentile.
    static let samplesMin = 20
    /// A first token is waited for at most so long before another model is asked.
    static let patienceMax: Duration = .milliseconds(700)
    /// And as long as its pace is not known, and of a draft, at most so long before its caller would notice: the voice of a
    /// second model, asked then, begins within a second of the caller's last word.
    static let patienceUnknown: Duration = .milliseconds(500)
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

    /// Before a hedge of a draft: nobody hears it yet, and only one that is stuck is worth a second request.
    var draftPatience: Duration { max(patience, Self.patienceUnknown) }

    /// How long to wait before a hedge.
    var patience: Duration { min(max(p95 ?? Self.patienceUnknown, Self.patienceMin), Self.patienceMax) }
}
