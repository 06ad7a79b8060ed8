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
        /// Speaks when the agent falls silent, or into its line; no recognition.
        case recites(Recital)
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

    package struct Recital: Hashable, Sendable {
        package struct Entry: Hashable, Sendable {
            package var parts: [Cue.Part]
            /// Into the agent's line, this long after it began; nil: when it is over.
            package var interruptsAfter: Duration?
            package init(_ parts: [Cue.Part], interruptsAfter: Duration? = nil) {
                self.parts = parts
                self.interruptsAfter = interruptsAfter
            }
        }

        package var entries: [Entry]
        /// Silence of the agent before the caller speaks.
        package var pause: Duration = .milliseconds(700)
        /// Silence of both sides after which the caller goes on all the same.
        package var patience: Duration = .seconds(5)
        package init(_ entries: [Entry]) { self.entries = entries }
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
        switch behaviour {
        case .talks(let conversation):
            Self.words(conversation.cues.flatMap(\.parts)) + [conversation.patience.asks]
        case .recites(let recital): Self.words(recital.entries.flatMap(\.parts))
        case .presses, .silent: []
        }
    }

    private static func words(_ parts: [Cue.Part]) -> [String] {
        parts.compactMap { if case .words(let text) = $0 { text } else { nil } }
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
