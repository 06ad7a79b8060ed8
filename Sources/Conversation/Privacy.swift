package import Agents
import Base

/// What may be kept of a call's inputs: those that a private node of the flow takes in are masked.
///
/// A recogniser's last words about an answer may come after the flow has moved on; so words stay masked until the
/// caller speaks anew. See docs/decisions/0003.
package struct Privacy: Sendable {
    private var isAfterPrivate = false

    package init() {}

    /// The input as a journal may hold it, and whether it was changed. `isPrivate`: as the conversation stands before
    /// the input.
    package mutating func kept(
        _ input: Dialogue.Input, isPrivate: Bool
    ) -> (input: Dialogue.Input, isMasked: Bool) {
        if isPrivate {
            isAfterPrivate = true
        } else if case .speechStarted = input {
            isAfterPrivate = false
        }
        switch input {
        case .transcript(var transcript) where isPrivate || isAfterPrivate:
            transcript.text = Masked.words(transcript.text)
            for index in transcript.words.indices {
                transcript.words[index].text = Masked.words(transcript.words[index].text)
            }
            return (.transcript(transcript), true)
        case .digit(let digit) where isPrivate: return (.digit(Masked.text(digit)), true)
        case .keyTone(let digit) where isPrivate: return (.keyTone(Masked.text(digit)), true)
        case .toolFinished(let key, let result) where isPrivate:
            return (.toolFinished(key: key, result: Masked.json(result)), true)
        default: return (input, false)
        }
    }
}

extension Conversation {
    /// The flow stands at a node that pauses recording, or would again if the turn it has just left it on turns out to be
    /// cut.
    var isPrivateNow: Bool {
        guard hasPrivateNodes else { return false }
        return (flow?.isPrivate ?? false) || (tentative?.flow?.isPrivate ?? false)
    }
}

extension Checkpoint {
    /// Without what private nodes of `definition` have taken in.
    package func masked(_ definition: AgentDefinition) -> Checkpoint {
        var kept = self
        if let flow = definition.flow { kept.flow = kept.flow.map(flow.masked) }
        return kept
    }
}
