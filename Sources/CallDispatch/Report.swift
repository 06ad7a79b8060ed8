package import Base
package import Routing

/// One fact of a call, told by the worker that holds it. Repeating it changes nothing: (call, epoch, sequence) is its key.
package struct Report: Sendable, Codable {
    package var call: ID<Call>
    package var tenant: ID<Tenant>
    package var epoch: Int
    /// From 1, without gaps, within call and epoch.
    package var sequence: Int
    package var at: Timestamp
    package var fact: CallFact
    package init(call: ID<Call>, tenant: ID<Tenant>, epoch: Int, sequence: Int, at: Timestamp, fact: CallFact)
    {
        self.call = call
        self.tenant = tenant
        self.epoch = epoch
        self.sequence = sequence
        self.at = at
        self.fact = fact
    }
}

package enum CallFact: Sendable, Codable {
    /// About to ask the carrier to dial: from now on the call must not be dialled again.
    case dialing
    case carrierAccepted(carrierCallID: String)
    /// Audio flows; connected time is counted from the first of these.
    case mediaStarted
    case turn(Turn)
    case tool(key: String, name: String, succeeded: Bool, milliseconds: Int)
    /// A language model was asked through the router.
    case route(RouteFact)
    /// Cumulative since the epoch's media started; a later slice supersedes an earlier one of the same epoch.
    case usage([Usage], connectedMs: Int)
    /// For people: node entered, key pressed, fallback taken. Never spoken words.
    case event(code: String, detail: String)
    /// A recording or journal file has been begun: it counts among the call's files even if nothing follows.
    case artifactStarted(kind: ArtifactKind, path: String)
    /// A finished recording or journal file under the recordings root; completes what was told at its start.
    case artifact(kind: ArtifactKind, path: String, bytes: Int, milliseconds: Int)
    /// The last fact. `connectedMs` and `usage` are this epoch's.
    case ended(EndReason, connectedMs: Int, usage: [Usage])

    package struct Turn: Sendable, Codable {
        package var number: Int
        /// `caller` or `agent`.
        package var speaker: String
        package var text: String
        /// Milliseconds of connected time.
        package var startMs: Int
        package var endMs: Int
        package var wasInterrupted: Bool
        /// Milliseconds from the end of the caller's speech.
        package var stages: [String: Int]
        package init(
            number: Int, speaker: String, text: String, startMs: Int, endMs: Int, wasInterrupted: Bool,
            stages: [String: Int]
        ) {
            self.number = number
            self.speaker = speaker
            self.text = text
            self.startMs = startMs
            self.endMs = endMs
            self.wasInterrupted = wasInterrupted
            self.stages = stages
        }
    }
}

package enum ArtifactKind: String, Hashable, Sendable, Codable { case recording, journal }
