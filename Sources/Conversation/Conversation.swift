package import Agents
package import Base

package struct Conversation: Sendable {
    package init(
        definition: AgentDefinition, variables: [String: String], call key: String, fundedMs: Int, holdNumber: Int,
        resuming: Checkpoint?
    ) {
    }
    package mutating func handle(_ input: Dialogue.Input, at now: CallTime) -> [Dialogue.Effect] { [] }
    package var deadline: CallTime? { nil }
    package var checkpoint: Checkpoint { Checkpoint(elapsedMs: 0) }
}
