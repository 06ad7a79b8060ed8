import Base

/// Somebody at the other end of a phone line: how they pick up, what they listen for, what they say.
package struct Persona: Sendable {
    /// What becomes of a call the platform makes to this person.
    package enum Pickup: Hashable, Sendable {
        case answers(after: Duration)
        case busy
        /// Rings until the caller's `Timeout`.
        case noAnswer
    }

    package enum Behaviour: Sendable {
        /// Listens to the agent and speaks.
        case talks(Conversation)
        /// Presses keys when the agent falls silent; neither recognition nor synthesis.
        case presses(Keys)
        /// Says nothing.
        case silent
    }

    package struct Conversation: Sendable {
        package var cues: [Cue]
        /// What the agent may say: see `HeardGrammar`.
        package var grammar: HeardGrammar
        package var patience = Patience()
        package init(cues: [Cue], grammar: HeardGrammar, patience: Patience = Patience()) {
            self.cues = cues
            self.grammar = grammar
            self.patience = patience
        }
    }

    /// What to do when nothing understandable was heard.
    package struct Patience: Hashable, Sendable {
        /// Silence of both sides before the caller asks again.
        package var waits: Duration = .seconds(6)
        package var asks = "sorry could you repeat that"
        /// How often; after that the caller hangs up.
        package var asksMax = 2
        /// Having asked in vain, says the next thing it has not said yet, as people do who guess what was
        /// asked.
        package var guesses = true
        package init() {}
    }

    package struct Keys: Hashable, Sendable {
        /// One entry for each time the agent falls silent.
        package var entries: [String]
        /// Silence of the agent before the keys are pressed.
        package var pause: Duration = .milliseconds(400)
        package var hangsUpAfterLast: Bool
        package init(entries: [String], hangsUpAfterLast: Bool = false) {
            self.entries = entries
            self.hangsUpAfterLast = hangsUpAfterLast
        }
    }

    /// A voice of OfflineVoices; the agent's default is `slt`, so the caller's is another.
    package var voice = "rms"
    package var pickup: Pickup = .answers(after: .milliseconds(200))
    package var behaviour: Behaviour
    /// Hangs up this long after answering, whatever happens; zero hangs up at once.
    package var hangsUpAfter: Duration?

    package init(_ behaviour: Behaviour, hangsUpAfter: Duration? = nil) {
        self.behaviour = behaviour
        self.hangsUpAfter = hangsUpAfter
    }

    package static var hangsUpAtOnce: Persona { Persona(.silent, hangsUpAfter: .zero) }
    package static var silent: Persona { Persona(.silent) }
    package static func keypad(_ entries: [String], hangsUpAfterLast: Bool = false) -> Persona {
        Persona(.presses(Keys(entries: entries, hangsUpAfterLast: hangsUpAfterLast)))
    }

    /// Every sentence the persona may have to speak.
    var sentences: [String] {
        guard case .talks(let conversation) = behaviour else { return [] }
        let parts = conversation.cues.flatMap(\.parts).compactMap {
            if case .words(let text) = $0 { text } else { nil }
        }
        return parts + [conversation.patience.asks]
    }
}

/// What the caller does when it hears something.
package struct Cue: Hashable, Sendable {
    package enum Timing: Hashable, Sendable {
        /// Once the agent's line is over.
        case afterLine
        /// Into the agent's line, this long after it began and not before a keyword was heard. Answers the
        /// line.
        case bargeIn(after: Duration)
        /// Likewise, but the line still wants its answer.
        case backchannel(after: Duration)
    }

    package enum Part: Hashable, Sendable {
        case words(String)
        /// Silence inside one turn, as of somebody who reads a number from a card.
        case pause(Duration)
        case keys(String)
    }

    /// Lower-case words or phrases; one of them in the agent's line is enough. Empty: any line.
    package var keywords: [String]
    package var timing: Timing
    package var parts: [Part]
    package var hangsUp: Bool
    /// How often the cue may be used: agents ask again.
    package var usesMax: Int

    package init(
        _ keywords: [String], _ parts: [Part], timing: Timing = .afterLine, hangsUp: Bool = false,
        usesMax: Int = 3
    ) {
        self.keywords = keywords
        self.timing = timing
        self.parts = parts
        self.hangsUp = hangsUp
        self.usesMax = usesMax
    }

    package static func hear(_ keywords: String..., say text: String) -> Cue { Cue(keywords, [.words(text)]) }
    package static func hear(_ keywords: String..., sayAndHangUp text: String) -> Cue {
        Cue(keywords, [.words(text)], hangsUp: true)
    }

    var text: String {
        parts.compactMap { if case .words(let text) = $0 { text } else { nil } }.joined(separator: " ")
    }
}

/// What the caller's ear expects: whole sentences of the agent, as they sound (no digits, no punctuation).
///
/// A sentence may use JSGF: `<name>` for a rule, `[…]` for what may be missing, `(a | b)`. The ear matches
/// any
/// sequence of sentences, so a line of two sentences need not be written down as one.
package struct HeardGrammar: Hashable, Sendable {
    package var sentences: [String]
    /// Rule name → alternatives.
    package var rules: [String: [String]]

    package init(_ sentences: [String], rules: [String: [String]] = [:]) {
        self.sentences = sentences
        self.rules = rules
    }

    package static let digits = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "oh",
    ]

    /// `415` → `four one five`.
    package static func spoken(_ number: String) -> String {
        number.compactMap { $0.wholeNumberValue.map { digits[$0] } }.joined(separator: " ")
    }

    package var jsgf: String {
        var text = "#JSGF V1.0;\ngrammar heard;\npublic <heard> = <sentence>+;\n"
        text += "<sentence> = \(sentences.map { "( \($0) )" }.joined(separator: " | "));\n"
        for (name, alternatives) in rules.sorted(by: { $0.key < $1.key }) {
            text += "<\(name)> = \(alternatives.joined(separator: " | "));\n"
        }
        return text
    }
}
