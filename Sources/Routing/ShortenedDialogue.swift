import Base

/// One dialogue as `PromptEconomy` shortens it, from request to request: what does not change is not read again. Pure.
///
/// What was said before may change (the caller cut in, a guess was wrong): then it is read again from there. The outcome
/// is that of reading all at once.
package struct ShortenedDialogue: Sendable {
    private let economy: PromptEconomy
    /// Tokens of system text and tools.
    private let before: Int
    private var messages: [DialogueMessage] = []
    /// Of each message as it is sent in full and as it is once it is old: tools' results differ.
    private var plain: [DialogueMessage] = []
    private var old: [DialogueMessage?] = []
    /// Where each turn of the user begins, and the turn as of which the dialogue is written from then on.
    private var starts: [Int] = []
    private var writtenAs: [Int] = []
    /// What `fold` gave for the turns that it was lately asked for.
    private var folds: [(turn: Int, shortening: Shortening)] = []
    private static let foldsMax = 2

    package init(_ economy: PromptEconomy, before: Int) {
        self.economy = economy
        self.before = before
    }

    /// What is sent in place of a dialogue's messages.
    package struct Shortening: Hashable, Sendable {
        /// Stands for so many of the first messages.
        package fileprivate(set) var line = ""
        package fileprivate(set) var folded = 0
        /// Results of tools in other words, by the message's place in the whole dialogue.
        package fileprivate(set) var results: [Int: String] = [:]

        package func applied(to messages: [DialogueMessage]) -> [DialogueMessage] {
            applied(to: messages, user: { .user($0) }) { .toolResult($1) }
        }

        /// Messages of any kind: `user` makes one of the user's, `result` a tool's result in other words.
        package func applied<Message>(
            to messages: [Message], user: (String) -> Message, result: (Message, String) -> Message
        ) -> [Message] {
            let rest = messages.indices.dropFirst(folded).map { index in
                results[index].map { result(messages[index], $0) } ?? messages[index]
            }
            return (folded > 0 ? [user(line)] : []) + rest
        }
    }

    /// How `messages` are sent next.
    ///
    /// A change of the beginning makes a vendor's cache useless for one call, and a prompt that falls below the least size
    /// that is kept is dearer than a longer one: the dialogue is written anew only where the next `callsAhead` calls together
    /// cost less.
    package mutating func follow(_ messages: [DialogueMessage]) -> Shortening {
        keep(zip(self.messages, messages).prefix { $0 == $1 }.count)
        for message in messages.dropFirst(self.messages.count) { append(message) }
        for turn in writtenAs.count..<max(writtenAs.count, starts.count) { writtenAs.append(decide(turn)) }
        let turn = writtenAs.last ?? 0
        var shortening = fold(turn)
        for index in messages.indices.dropFirst(shortening.folded) {
            if case .toolResult(let text) = written(index, turn), .toolResult(text) != messages[index] {
                shortening.results[index] = text
            }
        }
        return shortening
    }

    /// Forgets all but the first `count` messages.
    private mutating func keep(_ count: Int) {
        guard count < messages.count else { return }
        messages.removeSubrange(count...)
        plain.removeSubrange(count...)
        starts.removeAll { $0 >= count }
        folds.removeAll { $0.turn >= starts.count }
        writtenAs.removeSubrange(min(writtenAs.count, starts.count)...)
        old.removeSubrange(min(old.count, count)...)
        // Of a result, what is used is known when the turn after the next begins.
        let known = starts.count > 1 ? starts[starts.count - 2] : 0
        for index in old.indices.dropFirst(known) { old[index] = nil }
    }

    private mutating func append(_ message: DialogueMessage) {
        if case .user = message { starts.append(messages.count) }
        messages.append(message)
        if case .toolResult(let text) = message {
            plain.append(.toolResult(ResultText.short(text)))
        } else {
            plain.append(message)
        }
        old.append(nil)
    }

    /// The turn as of which the dialogue is written from `turn` on: that one, or as it was.
    private mutating func decide(_ turn: Int) -> Int {
        guard turn > 0, let last = writtenAs.last else { return 0 }
        guard turn > 1 else { return last }
        let end = starts[turn]
        return pays(from: tokens(to: end, last), to: tokens(to: end, turn)) ? turn : last
    }

    /// Of the prompt up to and with message `end`.
    private mutating func tokens(to end: Int, _ turn: Int) -> Int {
        let fold = fold(turn)
        let line = fold.folded > 0 ? PromptEconomy.tokens([.user(fold.line)]) : 0
        return (fold.folded...end).reduce(before + line) {
            $0 + PromptEconomy.tokens([written($1, turn)])
        }
    }

    /// In tokens at the full price.
    private func pays(from tokens: Int, to fewer: Int) -> Bool {
        func steady(_ tokens: Int) -> Double {
            tokens < economy.cacheMinimum ? Double(tokens) : Double(tokens) * economy.cachedPrice
        }
        let later = (1..<max(2, economy.callsAhead)).map { $0 * economy.growth }
        let stay = later.reduce(steady(tokens)) { $0 + steady(tokens + $1) }
        return later.reduce(Double(fewer)) { $0 + steady(fewer + $1) } < stay
    }

    /// Message `index` where the dialogue is written as of `turn`.
    private mutating func written(_ index: Int, _ turn: Int) -> DialogueMessage {
        guard turn > 1, index < starts[turn - 1] else { return plain[index] }
        if let known = old[index] { return known }
        let message = shortened(index)
        old[index] = message
        return message
    }

    private func shortened(_ index: Int) -> DialogueMessage {
        guard case .toolResult(let text) = messages[index],
            let next = starts.firstIndex(where: { $0 > index }), next + 1 < starts.count
        else { return plain[index] }
        // Used by the answers to the turn the result belongs to and to the next.
        let used = Self.stems(messages[(index + 1)..<starts[next + 1]])
        let trimmed = DialogueMessage.toolResult(trim(text, used))
        return PromptEconomy.tokens([trimmed]) < PromptEconomy.tokens([plain[index]]) ? trimmed : plain[index]
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
            let kept = spoken.isEmpty ? Array(entries.prefix(economy.entriesKept)) : spoken
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

    /// The oldest turns as one message: what the user said, the names and numbers that the agent told (`ToldFacts`), and what tools
    /// were called with, the last value of each.
    private mutating func fold(_ turn: Int) -> Shortening {
        if let known = folds.last(where: { $0.turn == turn }) { return known.shortening }
        let fold = folded(turn)
        folds = folds.suffix(Self.foldsMax - 1) + [(turn, fold)]
        return fold
    }

    private mutating func folded(_ turn: Int) -> Shortening {
        let turns = turn - economy.turnsKept
        guard turns > 0 else { return Shortening() }
        let end = starts[turns]
        var known: [String: String] = [:]
        var said: [String] = []
        var told = ToldFacts()
        for message in messages[..<end] {
            switch message {
            case .user(let text):
                said.append(text)
                told.skip(text)
            case .assistant(let text, let calls):
                told.read(text)
                for call in calls {
                    for (name, value) in call.arguments.object ?? [:] {
                        known[name] = value.string ?? value.text
                    }
                }
            case .toolResult: break
            }
        }
        for value in known.values { told.skip(value) }
        let called = known.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
        let parts = [
            ("Earlier I said: ", said.joined(separator: " / ")),
            ("\nYou told me: ", told.facts.joined(separator: "; ")),
            ("\nTools were given ", called.joined(separator: "; ")),
        ]
        let line = parts.filter { !$0.1.isEmpty }.map { $0.0 + $0.1 }.joined()
        let whole = (0..<end).reduce(0) { $0 + PromptEconomy.tokens([written($1, turn)]) }
        guard PromptEconomy.tokens([.user(line)]) < whole else { return Shortening() }
        return Shortening(line: line, folded: end)
    }
}
