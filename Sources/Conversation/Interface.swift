package import Agents
package import Base

/// The composed machine of one call: turns, flow or prompt, call and meter. Pure.
///
/// A runner feeds every input to `handle`, performs the effects in order, and calls again with `.deadline`
/// no earlier than `deadline`. The journal is the sequence of these inputs, so it replays to the same
/// effects.
package enum Dialogue {
    /// One reply of the agent, numbered from 1 in the call.
    package struct ReplyID: Hashable, Sendable, Codable {
        package var number: Int; package init(_ n: Int) { number = n }
    }
    /// One piece of the agent's speech given to the synthesiser, numbered from 1 in the call.
    package struct UtteranceID: Hashable, Sendable, Codable {
        package var number: Int; package init(_ n: Int) { number = n }
    }

    package struct Transcript: Hashable, Sendable, Codable {
        package var text: String
        package var isFinal: Bool
        /// Empty when the recogniser gives no times. Milliseconds from media start.
        package var words: [Word]
        package init(text: String, isFinal: Bool, words: [Word] = []) {
            self.text = text
            self.isFinal = isFinal
            self.words = words
        }
    }

    package struct ToolCall: Hashable, Sendable, Codable {
        /// Also the idempotency key: the same over retries, takeover and replay.
        package var key: String
        package var name: String
        package var arguments: JSON
        package init(key: String, name: String, arguments: JSON) {
            self.key = key
            self.name = name
            self.arguments = arguments
        }
    }

    package enum Input: Hashable, Sendable {
        /// Audio flows both ways. `resumed`: after a takeover.
        case mediaStarted(resumed: Bool)
        /// The caller speaks, since `agoMs` before this is told.
        case speechStarted(agoMs: Int)
        /// The caller has stopped; the last sound was `agoMs` before this is told. `finality`: how final the voice
        /// sounded there, 0...1.
        case speechEnded(agoMs: Int, finality: Double? = nil)
        /// The caller's voice has stopped for a moment, `agoMs` before this is told: it goes on without a word, or
        /// `speechEnded` follows.
        case speechFading(agoMs: Int)
        /// Fast evidence that the caller makes themselves heard, and its withdrawal. May be wrong; speech edges
        /// may follow or not.
        case stirred, settled
        /// The recogniser's own guess that the caller is done, 0...1; 0 withdraws it because speech goes on.
        case endOfTurn(probability: Double)
        case transcript(Transcript)
        /// One key, as the carrier tells: 0-9 * #
        case digit(String)
        /// One key, as its tones were heard: 0-9 * # A-D. The carrier may tell of the same press.
        case keyTone(String)
        case lineTone(LineTone)
        /// No recogniser hears the caller's words any more; keys are told on.
        case recogniserFailed(code: String)
        /// From the language model, in order.
        case replyText(ReplyID, String)
        case replyToolCall(ReplyID, id: String, name: String, arguments: String)
        case replyFinished(ReplyID, [Usage])
        case replyFailed(ReplyID, code: String)
        /// So much audio of the utterance exists now, milliseconds in all.
        case synthesised(UtteranceID, milliseconds: Int, isLast: Bool)
        case synthesisFailed(UtteranceID, code: String)
        /// So much of it was heard by the caller, milliseconds in all.
        case heard(UtteranceID, milliseconds: Int, isFinished: Bool)
        case toolFinished(key: String, result: JSON)
        case toolFailed(key: String, code: String)
        /// The ledger's answer to `extendHold`; funded until this many milliseconds of connected time.
        case holdExtended(number: Int, fundedMs: Int)
        case holdRefused(number: Int)
        case holdUnanswered(number: Int)
        /// The operator or the customer ends the call through the API.
        case endRequested
        case callerHungUp
        /// The carrier's connection is gone and the call with it.
        case mediaLost
        case deadline
    }

    package enum Effect: Hashable, Sendable {
        /// Ask the model: stable prefix first. Answered by `reply…` inputs of this id.
        case startReply(ReplyID, ModelRequest)
        case cancelReply(ReplyID)
        /// `line` answers, as the agent knows it: a router is told what would have been asked.
        case spareReply(ModelRequest, line: String)
        /// Synthesise, unless it was prepared, and queue behind what is queued; answered by `synthesised` and `heard`.
        case speak(UtteranceID, text: String)
        /// Synthesise what may be spoken next; answered by `synthesised`. `speak` or `discard` of the same id follows.
        case prepare(UtteranceID, text: String)
        case discard(UtteranceID)
        /// The agent's voice is softened, and as before: the caller may be about to speak.
        case duckPlayout, unduckPlayout
        /// Silent at once; `resumePlayout` or `clearPlayout` follows.
        case pausePlayout
        /// On at full voice from the very sample, or from the start of the utterance that was paused.
        case resumePlayout(fromStart: Bool)
        /// Drop everything not yet heard; `heard` tells no more of those utterances. Ends pause and ducking.
        case clearPlayout
        /// The recogniser listens for this from now on; `phrases` are further words to expect.
        case listen(for: Expectation, phrases: [String])
        /// `isDraft`: asked for by a reply to a guess, and reads only; `cancelTool` may follow.
        case callTool(ToolCall, isDraft: Bool = false)
        /// Nobody waits for the result of this key any more.
        case cancelTool(key: String)
        case startRecording
        case pauseRecording
        case resumeRecording
        case extendHold(number: Int)
        case record(Fact)
        /// The last effect of a call: everything said has been heard or dropped.
        case hangUp(EndReason)
    }

    /// What is worth telling: becomes a report to the control plane and a line of the live view.
    package enum Fact: Hashable, Sendable, Codable {
        case turn(TurnFact)
        case tool(ToolFact)
        case node(String)
        case digit(String)
        case usage([Usage])
        case note(code: String, detail: String)
    }

    /// One finished turn of either side.
    package struct TurnFact: Hashable, Sendable, Codable {
        package enum Speaker: String, Hashable, Sendable, Codable { case caller, agent }
        /// From 1 in the call, both sides counted together.
        package var number: Int
        package var speaker: Speaker
        /// What was said and, for the agent, heard.
        package var text: String
        package var startedAt: CallTime
        package var endedAt: CallTime
        /// The caller took the floor before the agent had finished.
        package var wasInterrupted = false
        /// Latency of the agent's turn, from the end of the caller's speech; nil where a stage did not
        /// happen.
        package var stages: Stages?
        /// Why the caller's turn was taken for over; nil where it was not.
        package var evidence: Evidence?
        package init(number: Int, speaker: Speaker, text: String, startedAt: CallTime, endedAt: CallTime) {
            self.number = number
            self.speaker = speaker
            self.text = text
            self.startedAt = startedAt
            self.endedAt = endedAt
        }
    }

    /// What the end of a caller's turn was decided on.
    package struct Evidence: Hashable, Sendable, Codable {
        /// What the wait hung on most; a raw value of `Turns`' `Evidence.Term`.
        package var term: String
        /// The silence after which the turn was over, from the last sound or key.
        package var waitMs: Int
        /// How finished the words sounded, 0...100.
        package var finishedPercent = 50
        /// The recogniser's own guess, 0...100; nil without one.
        package var recogniserPercent: Int?
        /// How final the voice sounded, 0...100; nil where nobody told.
        package var finalityPercent: Int?
        /// Pauses typical of this caller; nil when none is known.
        package var pausesMs: Int?
        package init(term: String, waitMs: Int) {
            self.term = term
            self.waitMs = waitMs
        }
    }

    /// Milliseconds from the end of the caller's speech.
    package struct Stages: Hashable, Sendable, Codable {
        package var finalTextMs: Int?
        package var endOfTurnMs: Int?
        /// When the model was asked: before the end of the turn where the turn was guessed.
        package var requestedMs: Int?
        package var firstTokenMs: Int?
        package var firstAudioMs: Int?
        package var heardMs: Int?
        package init() {}
    }

    package struct ToolFact: Hashable, Sendable, Codable {
        package var key: String
        package var name: String
        package var succeeded: Bool
        package var milliseconds: Int
        package init(key: String, name: String, succeeded: Bool, milliseconds: Int) {
            self.key = key
            self.name = name
            self.succeeded = succeeded
            self.milliseconds = milliseconds
        }
    }

    package struct ModelRequest: Hashable, Sendable {
        package var prompt: Prompt
        package var messages: [Message]
        package var tools: [Tool]
        /// The caller's turn that is answered, from 1; 0 before the first. Requests of one turn share a budget.
        package var turn: Int
        /// Begun on a guess: nobody hears it unless the turn turns out as guessed.
        package var isDraft: Bool
        package init(prompt: Prompt, messages: [Message], tools: [Tool], turn: Int = 0, isDraft: Bool = false)
        {
            self.prompt = prompt
            self.messages = messages
            self.tools = tools
            self.turn = turn
            self.isDraft = isDraft
        }
    }

    package enum Message: Hashable, Sendable, Codable {
        case system(String)
        case user(String)
        case assistant(String)
        case toolCalls([ToolCall], text: String)
        case toolResult(key: String, content: String)
    }
}
