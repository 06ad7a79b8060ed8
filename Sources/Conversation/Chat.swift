package import Agents
import Base

/// A conversation in text for `parley chat`: a typed line is speech, and what the agent says is heard at once.
package struct Chat: Sendable {
    package private(set) var conversation: Conversation
    private(set) var now = CallTime.zero

    package init(definition: AgentDefinition, variables: [String: String], call key: String) {
        conversation = Conversation(
            definition: definition, variables: variables, call: key, fundedMs: 24 * 3_600_000, holdNumber: 0,
            resuming: nil)
    }
}
