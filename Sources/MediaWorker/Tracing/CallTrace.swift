import Base
import Conversation

/// The spans of one call: the call, each answered turn in it, and the stages of each turn. Pure.
///
/// The call's id is the trace's id, so a call is found in a tracing system by it. Words, numbers and names of callers
/// are in none of them.
struct CallTrace: Sendable {
    let call: ID<Call>
    let tenant: ID<Tenant>
    let epoch: Int
    /// When this epoch's media began, nanoseconds since 1970.
    let startedAt: Int64

    private var trace: String { Self.hex(call.high) + Self.hex(call.low) }
    private var root: String { id(0, 0) }

    /// An answer and its stages; nothing where nobody had spoken before.
    func turn(_ fact: Dialogue.TurnFact, _ latency: TurnLatency, _ vendors: StageVendors) -> [Span] {
        guard let stages = fact.stages, let heardMs = stages.heardMs else { return [] }
        let silence = at(fact.startedAt) - Int64(heardMs) * 1_000_000
        var turn = Span(
            trace: trace, id: id(fact.number, 0), parent: root, name: "turn",
            times: (silence, at(fact.endedAt)),
            attributes: [
                "parley.turn": .int(Int64(fact.number)), "parley.interrupted": .bool(fact.wasInterrupted),
            ])
        turn.attributes["parley.latency_ms"] = .int(Int64(heardMs))
        let ends: [(TurnLatency.Stage, Int?)] = [
            (.stt, stages.finalTextMs), (.endpointing, stages.endOfTurnMs), (.llm, stages.firstTokenMs),
            (.tts, stages.firstAudioMs), (.playout, stages.heardMs),
        ]
        let parts = ends.enumerated().compactMap { index, part -> Span? in
            guard let endMs = part.1, let taken = latency.stages[part.0] else { return nil }
            let labels = vendors.labels(part.0).filter { !$0.1.isEmpty }
            return Span(
                trace: trace, id: id(fact.number, index + 1), parent: turn.id, name: part.0.rawValue,
                times: (
                    silence + Int64(endMs - taken) * 1_000_000, silence + Int64(endMs) * 1_000_000
                ),
                attributes: Dictionary(
                    labels.map { ("parley.\($0.0)", JSON.string($0.1)) }, uniquingKeysWith: { $1 }))
        }
        return [turn] + parts
    }

    /// The whole of this epoch. `reason`: how it ended.
    func call(endedAt: CallTime, reason: EndReason, direction: String) -> Span {
        var span = Span(
            trace: trace, id: root, parent: nil, name: "call", times: (startedAt, at(endedAt)),
            attributes: [
                "parley.tenant": .string("\(tenant)"), "parley.call": .string("\(call)"),
                "parley.epoch": .int(Int64(epoch)), "parley.end_reason": .string(reason.rawValue),
                "parley.direction": .string(direction),
            ])
        span.hasFailed = reason == .agentFailed || reason == .carrierFailed
        return span
    }

    private func at(_ time: CallTime) -> Int64 { startedAt + time.nanoseconds }

    /// The same span gets the same id however often it is told.
    private func id(_ turn: Int, _ part: Int) -> String {
        let seed = call.high &+ call.low &+ UInt64(epoch) << 40 &+ UInt64(turn) << 8 &+ UInt64(part)
        var random = SeededGenerator(seed: seed)
        return Self.hex(random.next() | 1)
    }

    private static func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
