import Base

/// Shorter prompts that say the same: results of tools written with each name once (`ResultText`) and cut to what was used of
/// them, old turns told in one message without the agent's words.
///
/// What becomes of a message depends on nothing later than the user's second turn after it, and a prompt that a vendor's
/// cache holds is shortened seldom, so that it mostly grows at its end.
package struct PromptEconomy: Hashable, Sendable {
    /// Turns of the user that are always kept word by word. 1...100.
    package var turnsKept = 3
    /// Turns are told in one message this many at a time, so that the beginning seldom changes. 1...100.
    package var foldedAtOnce = 2
    /// Entries of a result's list of which nothing was said that are kept all the same, to be asked about.
    package var entriesKept = 1

    /// Vendors keep no shorter prompt.
    package var cacheMinimum = 1024
    /// A cached token's price over a fresh one's. 0...1.
    package var cachedPrice = 0.25
    package var callsAhead = 4
    /// Tokens by which a prompt grows from call to call.
    package var growth = 60

    package init() {}

    /// Tokens of the function by which a probed model hands over, and of a line that asks for answers fit to be spoken.
    package static let handOverFunctionTokens = 40

    /// The same dialogue, shorter; never longer, and of the last two turns of the user and what follows every word and value.
    ///
    /// `before` is the tokens of system text and tools. A change of the beginning makes a vendor's cache useless for one
    /// call, and a prompt that falls below the least size that is kept is dearer than a longer one: the dialogue is
    /// shortened again only where the next `callsAhead` calls together cost less.
    package func compact(_ messages: [DialogueMessage], before: Int = 0) -> [DialogueMessage] {
        let starts = messages.indices.filter { if case .user = messages[$0] { true } else { false } }
        let plain = messages.map(Self.plain)
        var turns = 0
        for turn in starts.indices.dropFirst(2) {
            let soFar = Array(messages[...starts[turn]])
            let last = shortened(soFar, plain, starts, turns)
            let next = shortened(soFar, plain, starts, turn)
            let (lastTokens, nextTokens) = (before + Self.tokens(last), before + Self.tokens(next))
            if pays(from: lastTokens, to: nextTokens) { turns = turn }
        }
        return shortened(messages, plain, starts, turns)
    }

    /// In tokens at the full price.
    private func pays(from tokens: Int, to fewer: Int) -> Bool {
        func steady(_ tokens: Int) -> Double {
            tokens < cacheMinimum ? Double(tokens) : Double(tokens) * cachedPrice
        }
        let later = (1..<max(2, callsAhead)).map { $0 * growth }
        let stay = later.reduce(steady(tokens)) { $0 + steady(tokens + $1) }
        return later.reduce(Double(fewer)) { $0 + steady(fewer + $1) } < stay
    }

    private static func plain(_ message: DialogueMessage) -> DialogueMessage {
        if case .toolResult(let text) = message { .toolResult(ResultText.short(text)) } else { message }
    }

    /// As it is written at the start of the user's turn `turn`, for this and the following ones. `plain` begins with what
    /// `messages` are where nothing is cut.
    private func shortened(
        _ messages: [DialogueMessage], _ plain: [DialogueMessage], _ starts: [Int], _ turn: Int
    ) -> [DialogueMessage] {
        var short = Array(plain.prefix(messages.count))
        guard turn > 1 else { return short }
        for index in messages.indices where index < starts[turn - 1] {
            guard case .toolResult(let text) = messages[index],
                let next = starts.firstIndex(where: { $0 > index }), next + 1 < starts.count
            else { continue }
            // Used by the answers to the turn the result belongs to and to the next.
            let used = Self.stems(messages[(index + 1)..<starts[next + 1]])
            let trimmed = DialogueMessage.toolResult(trim(text, used))
            if Self.tokens([trimmed]) < Self.tokens([short[index]]) { short[index] = trimmed }
        }
        return fold(short, starts, turn)
    }

    private static func stems(_ messages: ArraySlice<DialogueMessage>) -> Set<UInt32> {
        var stems: Set<UInt32> = []
        for message in messages {
            switch message {
            case .user(let text): stems.formUnion(SpokenShape(text).stems)
            case .assistant(let text, let calls):
                stems.formUnion(SpokenShape(text).stems)
                for call in calls { stems.formUnion(SpokenShape(call.arguments.text).stems) }
            case .toolResult: break
            }
        }
        return stems
    }

    private func trim(_ text: String, _ used: Set<UInt32>) -> String {
        guard let result = JSON(parsing: text) else { return text }
        return ResultText.short(trim(result, used).text)
    }

    private func trim(_ value: JSON, _ used: Set<UInt32>) -> JSON {
        switch value {
        case .array(let entries):
            let spoken = entries.filter { Self.isUsed($0, used) }
            let kept = spoken.isEmpty ? Array(entries.prefix(entriesKept)) : spoken
            return .array(kept.map { trim($0, used) })
        case .object(let members):
            let kept = members.filter { Self.isUsed($0.value, used) }
            return .object(kept.isEmpty ? members : kept.mapValues { trim($0, used) })
        default: return value
        }
    }

    private static func isUsed(_ value: JSON, _ used: Set<UInt32>) -> Bool {
        switch value {
        case .array(let entries): entries.contains { isUsed($0, used) }
        case .object(let members): members.values.contains { isUsed($0, used) }
        case .null: false
        case .string(let text): SpokenShape(text).stems.contains { used.contains($0) }
        default: SpokenShape(value.text).stems.contains { used.contains($0) }
        }
    }

    /// The oldest turns as one message: what the user said, and what tools were called with, the last value of each.
    private func fold(_ messages: [DialogueMessage], _ starts: [Int], _ turn: Int) -> [DialogueMessage] {
        let old = (turn - turnsKept) / foldedAtOnce * foldedAtOnce
        guard old > 0 else { return messages }
        let end = starts[old]
        var known: [String: String] = [:]
        for case .assistant(_, let calls) in messages[..<end] {
            for call in calls {
                for (name, value) in call.arguments.object ?? [:] { known[name] = value.string ?? value.text }
            }
        }
        let said = messages[..<end].compactMap { if case .user(let text) = $0 { text } else { nil } }
        let facts = known.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
        let line = DialogueMessage.user(
            "Earlier in this call I said: " + said.joined(separator: " / ")
                + (facts.isEmpty ? "" : "\nTools were called with " + facts.joined(separator: "; ")))
        let folded = [line] + messages[end...]
        return Self.tokens(folded) < Self.tokens(messages) ? folded : messages
    }

    /// Tokens of messages by their length: four characters each, and four a message.
    package static func tokens(_ messages: [DialogueMessage]) -> Int {
        messages.reduce(0) { sum, message in
            switch message {
            case .user(let text), .toolResult(let text): sum + text.unicodeScalars.count / 4 + 4
            case .assistant(let text, let calls):
                calls.reduce(sum + 4 + text.unicodeScalars.count / 4) { sum, call in
                    sum + (call.name.utf8.count + call.arguments.text.unicodeScalars.count + 30) / 4
                }
            }
        }
    }
}
