/// A cheap model's reply held against a strong one's by a judge who does not know whose is whose. Pure.
///
/// The judge is asked twice, with either reply first: one who prefers a place to a reply has said nothing.
package struct ReplyComparison: Hashable, Sendable {
    /// Of the cheap reply beside the strong one.
    package enum Verdict: String, Hashable, Sendable, CaseIterable { case better, equal, worse }

    /// What a judge answers.
    package enum Answer: Hashable, Sendable {
        case first, second, same

        /// The first of the words that were asked for; nil without any.
        package init?(_ text: String) {
            let words = text.split { !$0.isLetter }
            guard let word = words.first(where: { $0 == "A" || $0 == "B" || $0.uppercased() == "SAME" })
            else {
                return nil
            }
            self = word == "A" ? .first : word == "B" ? .second : .same
        }
    }

    /// Characters of a call that the judge is shown, its end.
    package static let dialogueMax = 60_000

    package static let instructions = """
        You judge replies of a telephone agent. You are shown the call so far, which begins with the agent's instructions, and \
        two possible next replies, A and B. Calling a tool is part of a reply. The better reply does what the caller needs next \
        and what the instructions ask: it calls the right tool with the right arguments where one is needed, says nothing that \
        is not so, and is fit to be spoken. Wording alone makes no reply better. Answer with one word: A, B, or SAME.
        """

    /// The call so far, a line a message.
    package var dialogue: String
    package var cheap: String
    package var strong: String

    package init(dialogue: String, cheap: String, strong: String) {
        self.dialogue = String(dialogue.suffix(Self.dialogueMax))
        self.cheap = cheap
        self.strong = strong
    }

    package func question(cheapFirst: Bool) -> String {
        """
        The call so far:
        \(dialogue)

        Reply A:
        \(cheapFirst ? cheap : strong)

        Reply B:
        \(cheapFirst ? strong : cheap)
        """
    }

    /// What both answers say; where they contradict each other, neither reply is better.
    package static func verdict(cheapFirst: Answer, strongFirst: Answer) -> Verdict {
        switch (cheapFirst, strongFirst) {
        case (.first, .second): .better
        case (.second, .first): .worse
        default: .equal
        }
    }
}
