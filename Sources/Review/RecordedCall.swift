package import Agents
package import Base
package import Conversation

/// All that entered a call's conversation, as its journal tells: one leg for each worker that led it. Pure.
package struct RecordedCall: Sendable {
    /// What a leg's conversation began with.
    package struct Start: Sendable {
        package var definition: AgentDefinition
        package var variables: [String: String]
        /// The call's id.
        package var key: String
        package var isOutbound: Bool
        package var fundedMs: Int
        package var holdNumber: Int
        package var checkpoint: Checkpoint?

        package init(
            definition: AgentDefinition, variables: [String: String], key: String,
            isOutbound: Bool = false, fundedMs: Int, holdNumber: Int, checkpoint: Checkpoint?
        ) {
            self.definition = definition
            self.variables = variables
            self.key = key
            self.isOutbound = isOutbound
            self.fundedMs = fundedMs
            self.holdNumber = holdNumber
            self.checkpoint = checkpoint
        }

        package var conversation: Conversation {
            Conversation(
                definition: definition, variables: variables, call: key, isOutbound: isOutbound,
                fundedMs: fundedMs, holdNumber: holdNumber, resuming: checkpoint)
        }
    }

    package struct Entry: Sendable {
        /// The leg's media begin at zero.
        package var at: CallTime
        package var input: Dialogue.Input
        /// What was said or pressed is not told.
        package var isMasked: Bool
        package init(at: CallTime, input: Dialogue.Input, isMasked: Bool = false) {
            self.at = at
            self.input = input
            self.isMasked = isMasked
        }
    }

    package struct Leg: Sendable {
        package var start: Start
        package var entries: [Entry]
        package init(start: Start, entries: [Entry] = []) {
            self.start = start
            self.entries = entries
        }

        /// When the recording tells of an utterance that this version never asks for: it would have led the call
        /// otherwise, and from here on what is replayed is not what was heard. nil when it agrees to the end.
        package var driftsAt: CallTime? {
            var machine = start.conversation
            var asked = start.checkpoint?.utterances ?? 0
            for entry in entries {
                switch entry.input {
                case .synthesised(let id, _, _), .synthesisFailed(let id, _), .heard(let id, _, _):
                    if id.number > asked { return entry.at }
                default: break
                }
                for effect in machine.handle(entry.input, at: entry.at) {
                    switch effect {
                    case .speak(let id, _), .prepare(let id, _): asked = max(asked, id.number)
                    default: break
                    }
                }
            }
            return nil
        }
    }

    package var legs: [Leg]
    package init(legs: [Leg]) { self.legs = legs }
}
