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
        /// A field, and what was expected there.
        case unfit(String, String)
        /// Of a message, by its place from 0.
        case unknownRole(String, at: Int)
        /// No system text is known by this id.
        case unknownPrefix(String)
        /// The system text of this id has a list of tools, from this line on, that is no JSON.
        case unreadableTools(String, line: Int)
    }

    /// One line; fields beyond those used here are let pass.
    package init(line: String) throws(Failure) {
        guard let row = JSON(parsing: line), row.object != nil else { throw .notAnObject }
        guard let id = row["id"] else { throw .missing("id") }
        guard let id = id.string else { throw .unfit("id", "a text") }
        guard let messages = row["messages"] else { throw .missing("messages") }
        guard let list = messages.array else { throw .unfit("messages", "a list") }
        guard let tokens = row["tokens_in"] else { throw .missing("tokens_in") }
        guard let tokens = tokens.int, tokens >= 0, tokens <= Self.tokensMax else {
            throw .unfit("tokens_in", "a whole number, 0 to \(Self.tokensMax)")
        }
        self.id = id
        dialogID = row["dialog_id"]?.string ?? id
        prefixID = row["prefix_id"]?.string ?? ""
        tokensIn = Int(tokens)
        self.messages = []
        for (place, entry) in list.enumerated() { self.messages.append(try Self.message(entry, at: place)) }
    }

    /// The id of a row that may be unfit in all else; nil where there is none to be read.
    package static func id(ofLine line: String) -> String? { JSON(parsing: line)?["id"]?.string }

    /// No model's window is larger.
    package static let tokensMax: Int64 = 10_000_000

    private static func message(_ entry: JSON, at place: Int) throws(Failure) -> DialogueMessage {
        guard entry.object != nil else { throw .unfit("messages[\(place)]", "an object") }
        // A model that only calls tools says null.
        let content = entry["content"] ?? .null
        guard let text = content == .null ? "" : content.string else {
            throw .unfit("messages[\(place)].content", "a text")
        }
        switch entry["role"]?.string {
        case "user": return .user(text)
        case "assistant": return .assistant(text, calls: (entry["tool_calls"]?.array ?? []).compactMap(call))
        case "tool": return .toolResult(text)
        case let role: throw .unknownRole(role ?? "", at: place)
        }
    }

    private static func call(_ entry: JSON) -> DialogueMessage.ToolCall? {
        let body = entry["function"] ?? entry
        guard let name = body["name"]?.string else { return nil }
        let arguments = body["arguments"] ?? .null
        return .init(name: name, arguments: arguments.string.flatMap { JSON(parsing: $0) } ?? arguments)
    }
}

extension StoredCall.Failure {
    /// For people.
    package var message: String {
        switch self {
        case .notAnObject: "no JSON object"
        case .missing(let field): "\(field) is missing"
        case .unfit(let field, let wanted): "\(field): expected \(wanted)"
        case .unknownRole("system", let place):
            "messages[\(place)].role: the system text stands behind its prefix_id, not among the messages"
        case .unknownRole(let role, let place):
            "messages[\(place)].role: unknown role \"\(role)\"; known: user, assistant, tool"
        case .unknownPrefix(""): "prefix_id is missing"
        case .unknownPrefix(let id): "prefix_id: there is no system text of \"\(id)\""
        case .unreadableTools(let id, let line):
            "prefix_id: the list of tools from line \(line) of the system text \"\(id)\" cannot be read as JSON"
        }
    }
}
