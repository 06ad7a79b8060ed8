import Agents
package import Base
import Conversation
import Turns

/// Other settings to try on recorded calls: members of an agent's `turns`, and of `Turns.Policy` under `endpointing`,
/// `barge_in`, `preemption` and `reply`. What is not named stays as it was recorded. Pure.
///
///     endpointing_ms: 500
///     barge_in: {pause_ms: 160}
package struct PolicyChanges: Sendable {
    package struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
        /// Dotted path, `barge_in.pause_ms`; empty at the root.
        package var path: String
        package var reason: String
        package var description: String { path.isEmpty ? reason : "\(path): \(reason)" }
    }

    private typealias Setting = any WritableKeyPath<TurnSettings, Int> & Sendable
    private typealias Phrases = any WritableKeyPath<TurnSettings, [String]> & Sendable
    private typealias Knob = any WritableKeyPath<Turns.Policy, Int> & Sendable

    private static let settings: [String: (Setting, ClosedRange<Int>)] = [
        "endpointing_ms": (\.endpointingMs, 200...3000), "barge_in_ms": (\.bargeInMs, 100...2000),
        "barge_in_words": (\.bargeInWords, 0...10), "silence_ms": (\.silenceMs, 1000...60_000),
        "preemptive_replies": (\.preemptiveReplies, 0...5),
    ]
    private static let phrases: [String: Phrases] = [
        "acknowledgement_phrases": \.acknowledgementPhrases, "interruption_phrases": \.interruptionPhrases,
    ]
    private static let knobs: [String: [String: Knob]] = [
        "endpointing": [
            "open_ms": \.endpointing.openMs, "least_ms": \.endpointing.leastMs,
            "most_ms": \.endpointing.mostMs, "full_ms": \.endpointing.fullMs,
            "matched_ms": \.endpointing.matchedMs, "date_ms": \.endpointing.dateMs,
            "amount_ms": \.endpointing.amountMs, "enough_ms": \.endpointing.enoughMs,
            "dictated_ms": \.endpointing.dictatedMs, "address_ms": \.endpointing.addressMs,
            "unanswered_ms": \.endpointing.unansweredMs, "final_limit_ms": \.endpointing.finalLimitMs,
            "partial_limit_ms": \.endpointing.partialLimitMs, "key_owed_ms": \.endpointing.keyOwedMs,
            "key_enough_ms": \.endpointing.keyEnoughMs, "speech_max_ms": \.endpointing.speechMaxMs,
            "late_ms": \.endpointing.lateMs, "reopen_ms": \.endpointing.reopenMs,
            "noise_ms": \.endpointing.noiseMs,
        ],
        "barge_in": [
            "pause_ms": \.bargeIn.pauseMs, "judge_ms": \.bargeIn.judgeMs, "words": \.bargeIn.words,
            "words_limit_ms": \.bargeIn.wordsLimitMs, "overlap_max_ms": \.bargeIn.overlapMaxMs,
            "stir_max_ms": \.bargeIn.stirMaxMs, "tail_ms": \.bargeIn.tailMs,
            "restart_ms": \.bargeIn.restartMs, "false_pause_ms": \.bargeIn.falsePauseMs,
        ],
        "preemption": ["lead_ms": \.preemption.leadMs],
        "reply": ["first_limit_ms": \.reply.firstLimitMs, "next_limit_ms": \.reply.nextLimitMs],
    ]
    /// Of every knob below the agent's settings.
    private static let knobRange = 0...60_000

    private var chosen: [(Setting, Int)] = []
    private var spoken: [(Phrases, [String])] = []
    private var turned: [(Knob, Int)] = []

    /// - Throws: `Problem` for an unknown member, a value of the wrong kind or out of its range, and for none at all.
    package init(_ json: JSON) throws(Problem) {
        guard let members = json.object, !members.isEmpty else {
            throw Problem(path: "", reason: "expected an object of turn settings")
        }
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            if let (place, range) = Self.settings[name] {
                chosen.append((place, try Self.number(value, in: range, name)))
            } else if let place = Self.phrases[name] {
                spoken.append((place, try Self.texts(value, name)))
            } else if let known = Self.knobs[name] {
                try turn(known, value, name)
            } else {
                let names = Array(Self.settings.keys) + Self.phrases.keys + Self.knobs.keys
                throw Self.unknown(name, known: names)
            }
        }
    }

    /// The policy a call with this agent would have had.
    func policy(for definition: AgentDefinition) -> Turns.Policy {
        var definition = definition
        for (place, value) in chosen { definition.turns[keyPath: place] = value }
        for (place, value) in spoken { definition.turns[keyPath: place] = value }
        var policy = Conversation.policy(definition)
        for (place, value) in turned { policy[keyPath: place] = value }
        return policy
    }

    private mutating func turn(_ known: [String: Knob], _ value: JSON, _ group: String) throws(Problem) {
        guard let members = value.object else { throw Problem(path: group, reason: "expected an object") }
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            guard let place = known[name] else {
                throw Self.unknown("\(group).\(name)", known: Array(known.keys))
            }
            turned.append((place, try Self.number(value, in: Self.knobRange, "\(group).\(name)")))
        }
    }

    private static func number(_ value: JSON, in range: ClosedRange<Int>, _ path: String) throws(Problem)
        -> Int
    {
        guard let number = value.int.flatMap({ Int(exactly: $0) }), range.contains(number) else {
            throw Problem(
                path: path, reason: "expected a whole number, \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private static func texts(_ value: JSON, _ path: String) throws(Problem) -> [String] {
        guard let list = value.array else { throw Problem(path: path, reason: "expected a list of phrases") }
        let texts = list.compactMap(\.string)
        guard texts.count == list.count else {
            throw Problem(path: path, reason: "expected phrases; put words like \"no\" in quotes")
        }
        return texts
    }

    private static func unknown(_ path: String, known: [String]) -> Problem {
        Problem(path: path, reason: "unknown; known: \(known.sorted().joined(separator: ", "))")
    }
}
