import Base

/// Shorter prompts that say the same: results of tools written with each name once (`ResultText`) and cut to what was used of
/// them, old turns told in one message with only names and numbers of the agent's words.
///
/// What becomes of a message depends on nothing later than the user's second turn after it, but for what the agent told:
/// the latest of it is kept. A prompt that a vendor's cache holds is shortened seldom, so that it mostly grows at its end.
/// `ShortenedDialogue` does it.
package struct PromptEconomy: Hashable, Sendable {
    /// Turns of the user that are always kept word by word. 1...100.
    package var turnsKept = 2
    /// Entries of a result's list of which nothing was said that are kept all the same, to be asked about.
    package var entriesKept = 1

    /// Vendors keep no shorter prompt.
    package var cacheMinimum = 1024
    /// A cached token's price over a fresh one's. 0...1.
    package var cachedPrice = 0.25
    package var callsAhead = 3
    /// Tokens by which a prompt grows from call to call.
    package var growth = 60

    package init() {}

    /// Tokens of the function by which a probed model hands over, and of a line that asks for answers fit to be spoken.
    package static let handOverFunctionTokens = 40

    /// The same dialogue, shorter; never longer, and of the last two turns of the user and what follows every word and value.
    ///
    /// `before` is the tokens of system text and tools.
    package func compact(_ messages: [DialogueMessage], before: Int = 0) -> [DialogueMessage] {
        var dialogue = ShortenedDialogue(self, before: before)
        return dialogue.follow(messages).applied(to: messages)
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
