import Base

/// Decides what the caller says and when. Pure: times come from outside, in milliseconds since the answer.
struct PersonaMind: Sendable {
    enum Input: Hashable, Sendable {
        case agentStarted
        case partial(String)
        /// The agent has been quiet long enough for the line to be over; `recognized` follows.
        case agentStopped
        case recognized(String)
        /// The caller has said all it had to say.
        case spoken
        case tick
    }

    enum Effect: Hashable, Sendable {
        case say([Cue.Part], isBargeIn: Bool)
        case hangUp
    }

    private let cues: [Cue]
    private let patience: Persona.Patience
    private var uses: [Int]
    private var asks = 0
    private var isAgentSpeaking = false
    private var isSpeaking = false
    private var hangsUpWhenSpoken = false
    private var line = Line()
    /// The end of the last sound of either side.
    private var quietSince = 0

    private struct Line: Sendable {
        var startMs = 0
        var partial = ""
        /// How many of its words have had their answer, by a barge-in; what comes behind them may ask
        /// something new.
        var answeredWords: Int?
        var hasBackchannel = false
        /// Recognised too late, after the agent went on: belongs before what comes next.
        var carried = ""
    }

    init(_ conversation: Persona.Conversation) {
        cues = conversation.cues
        patience = conversation.patience
        uses = Array(repeating: 0, count: cues.count)
    }

    mutating func handle(_ input: Input, at ms: Int) -> [Effect] {
        switch input {
        case .agentStarted:
            isAgentSpeaking = true
            line = Line(startMs: ms, carried: line.carried)
        case .partial(let text): line.partial = text
        case .agentStopped:
            isAgentSpeaking = false
            quietSince = ms
        case .recognized(let text): return recognized(text, at: ms)
        case .spoken:
            isSpeaking = false
            quietSince = ms
            if hangsUpWhenSpoken { return [.hangUp] }
        case .tick: return tick(at: ms)
        }
        return []
    }

    private mutating func recognized(_ text: String, at ms: Int) -> [Effect] {
        if isAgentSpeaking {
            line.carried += " " + text
            return []
        }
        let words = Self.words(line.carried + " " + text)
        line.carried = ""
        let unanswered = words.dropFirst(line.answeredWords ?? 0).joined(separator: " ")
        guard !isSpeaking, let index = cue(for: unanswered, among: { $0 == .afterLine }) else {
            return []
        }
        line.answeredWords = words.count
        return use(index, isBargeIn: false)
    }

    private mutating func tick(at ms: Int) -> [Effect] {
        guard !isSpeaking else { return [] }
        if isAgentSpeaking { return cutIn(at: ms) }
        guard ms - quietSince >= Int(patience.waits.milliseconds) else { return [] }
        quietSince = ms
        if asks > 0, patience.guesses,
            let next = cues.indices.first(where: { uses[$0] == 0 && cues[$0].timing == .afterLine })
        {
            return use(next, isBargeIn: false)
        }
        guard asks < patience.asksMax else { return [.hangUp] }
        asks += 1
        isSpeaking = true
        return [.say([.words(patience.asks)], isBargeIn: false)]
    }

    private mutating func cutIn(at ms: Int) -> [Effect] {
        let elapsed = ms - line.startMs
        let answered = line.answeredWords != nil
        let backchannelled = line.hasBackchannel
        let index = cue(for: line.carried + " " + line.partial) { timing in
            switch timing {
            case .afterLine: false
            case .bargeIn(let after): !answered && elapsed >= Int(after.milliseconds)
            case .backchannel(let after): !backchannelled && elapsed >= Int(after.milliseconds)
            }
        }
        guard let index else { return [] }
        if case .bargeIn = cues[index].timing {
            line.answeredWords = Self.words(line.carried + " " + line.partial).count
            return use(index, isBargeIn: true)
        }
        line.hasBackchannel = true
        return use(index, isBargeIn: false)
    }

    /// The cue whose keyword comes last in the text (a question stands at the end of a line), ties by order.
    private func cue(for text: String, among isWanted: (Cue.Timing) -> Bool) -> Int? {
        let words = Self.words(text)
        var best: (index: Int, place: Int)?
        for (index, cue) in cues.enumerated() where uses[index] < cue.usesMax && isWanted(cue.timing) {
            let place =
                cue.keywords.isEmpty
                ? -1 : cue.keywords.compactMap { Self.lastPlace(of: $0, in: words) }.max()
            guard let place, !words.isEmpty || cue.timing != .afterLine else { continue }
            if place > best?.place ?? -2 { best = (index, place) }
        }
        return best?.index
    }

    private mutating func use(_ index: Int, isBargeIn: Bool) -> [Effect] {
        uses[index] += 1
        asks = 0
        let cue = cues[index]
        guard !cue.parts.isEmpty else { return cue.hangsUp ? [.hangUp] : [] }
        isSpeaking = true
        hangsUpWhenSpoken = cue.hangsUp
        return [.say(cue.parts, isBargeIn: isBargeIn)]
    }

    static func words(_ text: String) -> [Substring] {
        text.lowercased().split { !$0.isLetter && !$0.isNumber && $0 != "'" }.map { Substring($0) }
    }

    /// Index of the last word of the last occurrence.
    static func lastPlace(of phrase: String, in text: [Substring]) -> Int? {
        let wanted = words(phrase)
        guard !wanted.isEmpty, wanted.count <= text.count else { return nil }
        return (0...text.count - wanted.count).last { text[$0..<$0 + wanted.count].elementsEqual(wanted) }
            .map { $0 + wanted.count - 1 }
    }
}
