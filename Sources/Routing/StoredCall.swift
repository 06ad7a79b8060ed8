import Base

/// One language model call of a dialogue as it is stored for routing: a row of `parley route`.
package struct StoredCall: Sendable, Hashable {
    package var id: String
    package var dialogID: String
    package var prefixID: String
    package var messages: [DialogueMessage]
    /// Tokens of system text, tools and messages.
    package var tokensIn: Int

    package enum Failure: Error, Hashable {
        case notAnObject
        case missing(String)
        case unknownRole(String)
    }

    /// One line; fields beyond those used here are let pass.
    package init(line: String) throws(Failure) {
        guard let row = JSON(parsing: line), row.object != nil else { throw .notAnObject }
        guard let id = row["id"]?.string else { throw .missing("id") }
        guard let list = row["messages"]?.array else { throw .missing("messages") }
        guard let tokens = row["tokens_in"]?.int, tokens >= 0, tokens <= Self.tokensMax else {
            throw .missing("tokens_in")
        }
        self.id = id
        dialogID = row["dialog_id"]?.string ?? id
        prefixID = row["prefix_id"]?.string ?? ""
        tokensIn = Int(tokens)
        messages = []
        for entry in list { messages.append(try Self.message(entry)) }
    }

    /// No model's window is larger.
    package static let tokensMax: Int64 = 10_000_000

    private static func message(_ entry: JSON) throws(Failure) -> DialogueMessage {
        let text = entry["content"]?.string ?? ""
        switch entry["role"]?.string {
        case "user": return .user(text)
        case "assistant": return .assistant(text, calls: (entry["tool_calls"]?.array ?? []).compactMap(call))
        case "tool": return .toolResult(text)
        case let role: throw .unknownRole(role ?? "")
        }
    }

    private static func call(_ entry: JSON) -> DialogueMessage.ToolCall? {
        let body = entry["function"] ?? entry
        guard let name = body["name"]?.string else { return nil }
        let arguments = body["arguments"] ?? .null
        return .init(name: name, arguments: arguments.string.flatMap { JSON(parsing: $0) } ?? arguments)
    }
}
