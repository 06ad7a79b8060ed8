package import Base
package import NIOCore
package import Routing

/// A recogniser. Audio goes in from the call's event loop, events come back on it.
package protocol SpeechToText: Sendable {
    /// Opens one stream for one call. `events` is called on `loop` only, in order, not before this returns and never
    /// after `close`, in which the last usage may be told.
    func open(
        _ settings: RecognitionSettings, on loop: any EventLoop,
        events: @escaping @Sendable (RecognitionEvent) -> Void
    ) -> any RecognitionStream
}

package struct RecognitionSettings: Sendable {
    /// BCP 47.
    package var language: String
    /// Words the call may bring, lower case.
    package var phrases: [String]
    package init(language: String, phrases: [String] = []) {
        self.language = language
        self.phrases = phrases
    }
}

/// One call's recogniser. All methods are called on the loop it was opened on and return at once.
package protocol RecognitionStream: AnyObject {
    /// µ-law, 8 kHz, mono, any whole number of bytes; one byte is one sample.
    func send(_ audio: ByteBuffer)
    /// What is likely to be said from now on.
    func expect(_ expectation: Expectation, phrases: [String])
    /// The ear's edges: an utterance begins (audio before it may be used) and ends (a final is due). In between the voice may
    /// fade: it goes on, or `utteranceEnded` follows.
    func utteranceStarted()
    func voiceFaded()
    func utteranceEnded()
    func close()
    /// Who gave the last final, where several vendors may be asked; nil before one.
    var hearer: ModelChoice? { get }
}

extension RecognitionStream {
    package var hearer: ModelChoice? { nil }
}

package enum RecognitionEvent: Sendable {
    case partial(String)
    /// Word times in milliseconds from the first audio sent.
    case final(String, words: [Word])
    /// How likely the speaker is done, 0...1, from recognisers that judge it; 0 withdraws.
    case endOfTurn(probability: Double)
    /// Cumulative billable usage of the stream.
    case usage(Usage)
    /// A vendor failed and this one took over: from a chain.
    case fellBack(to: String, Fault)
    /// Last.
    case failed(Fault)
}

/// A synthesiser.
package protocol TextToSpeech: Sendable {
    /// Starts to speak `text`. `events` is called on `loop` only, in order, not before this returns; after `cancel` never.
    func speak(
        _ text: String, voice: String, on loop: any EventLoop,
        events: @escaping @Sendable (SynthesisEvent) -> Void
    ) -> any SynthesisStream
    /// `voice` will be spoken with on `loop` soon: what costs time is done now.
    func warm(voice: String, on loop: any EventLoop)
}

extension TextToSpeech {
    package func warm(voice: String, on loop: any EventLoop) {}
}

package protocol SynthesisStream: AnyObject {
    /// Stops at once; called on the loop.
    func cancel()
    /// What it has cost until now; also after `cancel`, when no `finished` tells it.
    var usageSoFar: [Usage] { get }
    /// Who gave the first audio, where several vendors may be asked or a line may be there already; nil before it.
    var speaker: ModelChoice? { get }
}

extension SynthesisStream {
    package var usageSoFar: [Usage] { [] }
    package var speaker: ModelChoice? { nil }
}

package enum SynthesisEvent: Sendable {
    /// µ-law, 8 kHz, mono, in order.
    case audio(ByteBuffer)
    /// Where the next words of the text stand, milliseconds from the first audio, from synthesisers that tell; may come
    /// before that audio.
    case words([Word])
    /// What a part that was given up has cost.
    case spent(Usage)
    /// A vendor failed and this one goes on: from a chain.
    case fellBack(to: String, Fault)
    /// Last, like `failed`.
    case finished(Usage)
    case failed(Fault)
}

/// A chat model. Text comes back token by token.
package protocol LanguageModel: Sendable {
    /// `events` is called on `loop` only, in order; after `cancel` never.
    func reply(
        to request: ChatRequest, on loop: any EventLoop, events: @escaping @Sendable (ChatEvent) -> Void
    ) -> any ChatStream
    /// A call begins: connections that its first turn will need may be opened. Costs no tokens.
    func prepare(on loop: any EventLoop)
    /// The agent knew the line that answers `request`, and nobody is asked: how a router accounts for that; nil without one.
    func spare(_ request: ChatRequest, line: String, on loop: any EventLoop) -> RouteFact?
}

extension LanguageModel {
    package func spare(_ request: ChatRequest, line: String, on loop: any EventLoop) -> RouteFact? { nil }
    package func prepare(on loop: any EventLoop) {}
}

package protocol ChatStream: AnyObject {
    func cancel()
    /// What the reply has cost until now; also after `cancel`, when no `finished` tells it.
    var usageSoFar: [Usage] { get }
    /// Whose words these are, where several models may be asked; nil before `began`.
    var speaker: ModelChoice? { get }
    /// How a routed reply was routed and what came of it; nil before its end, and for a reply that no router chose for.
    var route: RouteFact? { get }
}

extension ChatStream {
    package var usageSoFar: [Usage] { [] }
    package var speaker: ModelChoice? { nil }
    package var route: RouteFact? { nil }
}

package struct ChatRequest: Sendable {
    package var model: String
    /// What the model is sent.
    package var messages: [ChatMessage]
    /// All that was said, where `messages` is a shortened form of it: what a router goes by.
    package var dialogue: [ChatMessage]?
    /// Name, description and JSON Schema of each.
    package var tools: [ChatTool]
    package var temperature: Double?
    package var maxTokens: Int
    /// nil leaves the vendor's default.
    package var effort: ReasoningEffort?
    /// Names whose conversations begin alike, so that the vendor can look for the beginning in its cache: an agent's
    /// version. Never anything of a caller.
    package var cacheKey: String?
    /// The caller's turn that is answered, from 1: requests of one turn share a budget.
    package var turn = 0
    /// Asked for ahead: nobody hears it yet.
    package var isDraft = false
    package init(
        model: String, messages: [ChatMessage], tools: [ChatTool], temperature: Double?, maxTokens: Int
    ) {
        self.model = model
        self.messages = messages
        self.tools = tools
        self.temperature = temperature
        self.maxTokens = maxTokens
    }
}

package enum ChatMessage: Hashable, Sendable {
    case system(String)
    case user(String)
    case assistant(String)
    case toolCalls([ChatToolCall], text: String)
    case toolResult(id: String, content: String)
}

package struct ChatToolCall: Hashable, Sendable {
    package var id: String
    package var name: String
    /// JSON text.
    package var arguments: String
    package init(id: String, name: String, arguments: String) {
        self.id = id
        self.name = name
        self.arguments = arguments
    }
}

package struct ChatTool: Hashable, Sendable {
    package var name: String
    package var description: String
    package var parameters: JSON
    /// The vendor is asked to keep calls to `parameters`, whatever the model would write.
    package var isStrict = false
    package init(name: String, description: String, parameters: JSON, isStrict: Bool = false) {
        self.name = name
        self.description = description
        self.parameters = parameters
        self.isStrict = isStrict
    }
}

package enum ChatEvent: Sendable {
    /// The first token is there, of text or of a tool call; once, before any other event but `failed`.
    case began
    case text(String)
    /// Complete: a JSON object for a tool that was offered. Sent once the whole reply is there.
    case toolCall(ChatToolCall)
    /// A model failed, and this one was asked in its place: from a chain. nil: nobody was left, and the reply ends with what
    /// has been said of it.
    case fellBack(to: ModelChoice?, Fault)
    case finished([Usage])
    case failed(Fault)
}

/// Keeps what tenants' calls taught a router beyond the worker that learned it. May lose it.
package protocol LessonStore: Sendable {
    func loadLessons(_ tenant: ID<Tenant>) async throws -> [UInt8]?
    func saveLessons(_ tenant: ID<Tenant>, _ lessons: [UInt8]) async throws
}

/// Audio of fixed lines that workers share.
package protocol LineStore: Sendable {
    /// µ-law, 8 kHz; nil: it is not there. `id`: all that its sound depends on.
    func loadLine(_ id: [String]) async throws -> [UInt8]?
    func saveLine(_ id: [String], audio: [UInt8]) async throws
}
