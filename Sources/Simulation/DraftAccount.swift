import Base
import Conversation

/// Does a reply to a guess change nothing and leave no trace, unless the guess was right?
///
/// Told of all tools and replies; each returns the promise that is broken, if one is.
struct DraftAccount {
    /// Tools that change nothing.
    let readOnly: Set<String>
    /// A reply to a guess was begun, and neither was it dropped nor the caller's turn told.
    private var isOpen = false
    /// Of tools that were run for it, and of those of them that have not answered.
    private var keys: Set<String> = []
    private var running: Set<String> = []
    /// Of tools that were run in vain.
    private var dropped: Set<String> = []
    /// Tools that were run for guesses, and those of them whose results were used.
    private(set) var begun: Set<String> = []
    private(set) var used = 0

    init(readOnly: Set<String>) { self.readOnly = readOnly }

    mutating func started(_ request: Dialogue.ModelRequest) -> String? {
        if !isOpen { close() }
        isOpen = request.isDraft
        guard !dropped.isEmpty || !running.isEmpty else { return nil }
        let told = request.messages.compactMap { message in
            if case .toolResult(let key, _) = message { key } else { nil }
        }
        // One that was too slow is given up without an answer.
        running.subtract(told)
        return !dropped.isDisjoint(with: told) ? "the model is told what a dropped draft has read" : nil
    }

    mutating func called(_ call: Dialogue.ToolCall, isDraft: Bool) -> String? {
        guard isDraft else { return isOpen ? "a tool runs before its reply is adopted" : nil }
        begun.insert(call.key)
        keys.insert(call.key)
        running.insert(call.key)
        guard isOpen else { return "a tool runs for a draft that is none" }
        return readOnly.contains(call.name) ? nil : "\(call.name) changes something for a draft"
    }

    mutating func answered(_ key: String) { running.remove(key) }

    mutating func cancelled(_ key: String) -> String? {
        running.remove(key) == nil ? "a tool is cancelled that nobody waits for" : nil
    }

    /// What a tool took is told: its result is used.
    mutating func told(_ key: String) -> String? {
        if begun.contains(key) { used += 1 }
        return dropped.contains(key) ? "a tool of a dropped draft is told of" : nil
    }

    /// The caller's turn is told: the draft is its reply, or is dropped at once.
    mutating func turnIsTold() { isOpen = false }

    mutating func wasDropped() -> String? {
        let isQuiet = running.isEmpty
        drop()
        return isQuiet ? nil : "a tool of a dropped draft runs on"
    }

    /// What was adopted goes on under its keys.
    mutating func takeOver() { if isOpen { drop() } else { close() } }

    private mutating func drop() {
        dropped.formUnion(keys)
        isOpen = false
        close()
    }

    private mutating func close() {
        keys = []
        running = []
    }
}
