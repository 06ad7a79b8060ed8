import Base

/// What did the agent's turn take, from the end of the caller's speech? Pure.
package struct TurnStages: Hashable, Sendable {
    package var finalTextMs: Int?
    package var endOfTurnMs: Int?
    /// When the reply was asked of the model; before the end of the turn when it was guessed.
    package var requestedMs: Int?
    package var firstTokenMs: Int?
    package var firstAudioMs: Int?
    package var heardMs: Int?
}

struct Stopwatch: Sendable {
    private var from: CallTime?
    private var stages = TurnStages()

    mutating func start(speechEnded: CallTime, finalAt: CallTime?, at now: CallTime) {
        from = speechEnded
        stages = TurnStages()
        stages.finalTextMs = finalAt.map { Self.between(speechEnded, $0) }
        stages.endOfTurnMs = Self.between(speechEnded, now)
    }

    mutating func requested(at now: CallTime) {
        if let from, stages.requestedMs == nil { stages.requestedMs = Self.between(from, now) }
    }

    mutating func firstToken(at now: CallTime) {
        if let from, stages.firstTokenMs == nil { stages.firstTokenMs = Self.between(from, now) }
    }

    mutating func firstAudio(at now: CallTime) {
        if let from, stages.firstAudioMs == nil { stages.firstAudioMs = Self.between(from, now) }
    }

    mutating func heard(at now: CallTime) {
        if let from, stages.heardMs == nil { stages.heardMs = Self.between(from, now) }
    }

    /// nil when nobody had spoken before.
    mutating func take() -> TurnStages? {
        guard from != nil else { return nil }
        from = nil
        return stages
    }

    private static func between(_ a: CallTime, _ b: CallTime) -> Int { Int(max(0, (b - a).milliseconds)) }
}
