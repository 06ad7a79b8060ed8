package import Base

extension Turns {
    package struct Policy: Hashable, Sendable {
        package var endpointing = Endpointing.Policy()
        package var bargeIn = BargeIn.Policy()
        package var reply = Reply.Policy()
        package var preemption = Preemption.Policy()
        package var lateAnswer = LateAnswer.Policy()
        /// Silence of the caller before the agent asks again. 1000...60000.
        package var silenceMs = 7000
        package init() {}
    }

    package enum Input: Hashable, Sendable {
        /// The ear is sure that the caller speaks, and has since `agoMs` before now.
        case speechStarted(agoMs: Int)
        /// The ear is sure that speech is over; its last sound was `agoMs` before now. `finality`: how final the
        /// voice sounded there, 0...1.
        case speechEnded(agoMs: Int, finality: Double? = nil)
        /// The voice stopped `agoMs` before now: it goes on without a word, or `speechEnded` follows.
        case speechFading(agoMs: Int)
        /// Fast evidence of the caller's voice, and its withdrawal: not yet speech, not yet its end.
        case stirred, settled
        /// The recogniser's own guess that the caller is done, 0...1; 0 withdraws it.
        case endOfTurn(probability: Double)
        /// `fullness`: how much of the asked answer `text(with:)` holds.
        case transcript(String, isFinal: Bool, Fullness)
        /// How much of the asked answer the words so far hold, after `.reopened` has changed what was asked.
        case judged(Fullness)
        /// What the last turn led to cannot be undone: it is not reopened.
        case stand
        /// `fullness`: of all keys of the turn, this one included.
        case key(String, Fullness)
        /// The caller's answer is awaited; sets how long to wait for its end.
        case ask(Expectation)
        case say(String, isInterruptible: Bool)
        /// A reply of the model is wanted: the draft, where the turn was as guessed.
        case beginReply
        /// A reply to the last `guess` is wanted; nobody hears it unless the turn turns out as guessed.
        case beginDraft
        /// The draft is whole, and what its tools gave is there: another reply is wanted, under the same guess.
        case continueDraft
        /// The answer to the last `guess` will begin with this line.
        case prepare(String)
        /// The turn led to something else than what was guessed.
        case forgetDraft
        case replyText(Int, String)
        case replyFinished(Int)
        case replyFailed(Int)
        case synthesised(Int, ms: Int, isLast: Bool)
        case synthesisFailed(Int)
        case heard(Int, ms: Int, isFinished: Bool)
        /// Drop what is queued and pending: something more important is to be said.
        case hush
        /// Only what is queued is still said; the caller is not listened to any more.
        case close
        case deadline
    }

    package enum Effect: Hashable, Sendable {
        case startReply(Int)
        case cancelReply(Int)
        /// What was prepared under this number is there already.
        case speak(Int, String)
        /// Make the voice of what may be spoken next; `speak` or `discard` of the same number follows.
        case prepare(Int, String)
        case discard(Int)
        /// Softer, and as before: the caller may be about to speak.
        case duckPlayout, unduckPlayout
        /// Silent at once; `resumePlayout` or `clearPlayout` follows.
        case pausePlayout
        /// On at full voice, from the very sample or from the start of the utterance.
        case resumePlayout(fromStart: Bool)
        case clearPlayout
        /// The caller is done, as far as can be told: see `reopened`.
        case callerTurn(CallerTurn)
        /// These words may be the whole turn: its answer may be begun, and must leave no trace if they are not.
        case guess(String)
        /// The reply that was begun on the guess is whole: all its text.
        case draftFinished(String)
        /// The reply that was begun on the guess is the reply to the turn; what it said comes after.
        case draftAdopted
        /// The reply that was begun on the guess, and all it asked for, are to be forgotten.
        case draftDropped(reply: Int)
        /// The last `callerTurn` was cut: it and all it led to are to be forgotten. It comes again, whole.
        case reopened
        /// The last `callerTurn` is not reopened any more. Comes once for each that was not reopened, before
        /// any later turn.
        case turnStands
        case agentTurn(AgentTurn)
        /// The caller took the floor; the agent's words that were heard.
        case interrupted(heard: String)
        case replyFinished(String)
        case replyFailed
        case synthesisFailed(Int)
        /// The caller has said nothing for `silenceMs`.
        case silence
        /// Everything said has been heard and nothing more is pending.
        case allHeard
        case note(String)

        /// For the runner to perform; the others are for the one who composes, and may lead to further
        /// inputs.
        package var isOrder: Bool {
            switch self {
            case .startReply, .cancelReply, .speak, .prepare, .discard, .duckPlayout, .unduckPlayout,
                .pausePlayout,
                .resumePlayout,
                .clearPlayout:
                true
            default: false
            }
        }
    }

    package struct CallerTurn: Hashable, Sendable {
        package var text: String
        package var keys: String
        package var startedAt: CallTime
        package var endedAt: CallTime
        /// Why it ended; nil where the line was cut.
        package var evidence: TurnEvidence?
    }

    package struct AgentTurn: Hashable, Sendable {
        /// What was heard of it.
        package var text: String
        package var startedAt: CallTime
        package var endedAt: CallTime
        package var wasInterrupted: Bool
        package var stages: TurnStages?
    }
}

extension Turns.CallerTurn {
    init(_ turn: Endpointing.Turn, _ evidence: TurnEvidence?) {
        self.init(
            text: turn.text, keys: turn.keys, startedAt: turn.startedAt, endedAt: turn.endedAt,
            evidence: evidence)
    }
}
