package import Base

extension FlowMachine {
    package enum Input: Hashable, Sendable {
        case started
        /// After a takeover: ask again, send again what was not answered.
        case resumed
        /// The caller's finished turn; `keys` are pressed digits.
        case answered(text: String, keys: String)
        case silence
        case toolFinished(key: String, result: JSON)
        case toolFailed(key: String)
    }

    package enum Effect: Hashable, Sendable {
        case entered(String)
        case say(String, isInterruptible: Bool)
        /// Wait for an answer from now on.
        case ask(Expectation, phrases: [String])
        case callTool(key: String, name: String, arguments: JSON)
        case pauseRecording, resumeRecording, startRecording
        case note(code: String, detail: String)
        /// Everything is said; end the call once it has been heard.
        case end(EndReason)
        /// The flow cannot go on.
        case fail(String)
    }

    /// All that changes: what a checkpoint keeps.
    package struct Memory: Hashable, Sendable, Codable {
        package enum Wait: String, Hashable, Sendable, Codable {
            /// Not begun.
            case nothing
            /// For the caller to speak first.
            case caller
            case answer, tool, ended
        }
        package var wait = Wait.nothing
        package var node = ""
        package var visits: [String: Int] = [:]
        package var reprompts = 0
        package var variables: [String: String] = [:]
        /// Variables holding dictated digits: said digit by digit.
        package var dictated: Set<String> = []
        /// An answer given while the node's tool was still running.
        package var early: Answer?
        /// Pieces of a dictated answer that is not whole: its digits, or its words.
        package var collected: String?
        /// What was said last, for a caller who wants to hear it again.
        package var lastLine: String?
        package struct Answer: Hashable, Sendable, Codable {
            package var text: String
            package var keys: String
        }
    }
}
