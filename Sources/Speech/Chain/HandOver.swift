import Base

/// The one tool of a probed model: it leaves the turn to the strong one.
package enum HandOver {
    package static let name = "hand_over"

    /// `tools`: those that the strong model has; their names tell what is beyond this one.
    package static func tool(for tools: [ChatTool]) -> ChatTool {
        let names = tools.map(\.name).joined(separator: ", ")
        return ChatTool(
            name: name,
            description:
                "Leaves this turn to a colleague, who goes on at once and can use: \(names). Call it, and say "
                + "nothing, when the turn needs one of these or something that this conversation does not tell.",
            parameters: ["type": "object", "properties": [:]])
    }

    /// Whether a probed model's whole reply is or holds one in words.
    package static func isWritten(in reply: String) -> Bool {
        var reader = WrittenHandOver()
        return reader.push(reply).isHandOver || reader.finish().isHandOver
    }
}
