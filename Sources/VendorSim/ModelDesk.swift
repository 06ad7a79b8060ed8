import Base
import NIOCore
import HummingbirdCore
import Synchronization

/// What a simulated model vendor has been asked and answers next.
final class ModelDesk: Sendable {
    struct State {
        var script: ChatScript
        var faults: [ChatScript.Fault] = []
        var requests: [JSON] = []
        var count = 0
    }

    let settings: ModelSettings
    let state: Mutex<State>

    init(_ settings: ModelSettings) {
        self.settings = settings
        state = Mutex(State(script: settings.script))
    }

    /// The reply to `turn`, whose request was `body`, with what befalls it.
    func reply(to turn: ChatTurn, body: JSON) -> (ChatScript.Reply, ModelDraw) {
        var (reply, draw) = state.withLock { state -> (ChatScript.Reply, ModelDraw) in
            if state.requests.count < ModelSettings.requestsMax { state.requests.append(body) }
            state.count += 1
            let draw = ModelDraw(settings, request: state.count)
            var reply = state.script.reply(to: turn)
            if !state.faults.isEmpty {
                reply.fault = state.faults.removeFirst()
            } else if let fault = draw.fault {
                reply.fault = fault
            }
            return (reply, draw)
        }
        // A tool nobody offered cannot be called.
        reply.toolCalls.removeAll { !turn.tools.contains($0.name) }
        switch reply.fault {
        case .badToolArguments:
            reply.toolCalls = [ChatScript.ToolCall(name: turn.tools.first ?? "none", arguments: nil)]
        case .unknownTool: reply.toolCalls = [ChatScript.ToolCall(name: "no_such_tool", arguments: [:])]
        case .late(let delay): draw.firstToken = delay
        default: break
        }
        return (reply, draw)
    }
}

extension ChatScript.ToolCall {
    /// The text a model streams; of a call without arguments, text that is not JSON.
    var argumentsText: String { arguments == .null ? #"{"day": tues"# : JSONText.encode(arguments) }
}

/// How one vendor writes a reply down: the events of its stream, each as the bytes of one or more blocks of lines.
protocol ModelWire: Sendable {
    func opening() -> String
    mutating func word(_ token: String) -> String
    /// The calls of a reply, each in pieces.
    mutating func toolCalls(_ calls: [ChatScript.ToolCall]) -> [String]
    mutating func ending(_ reply: ChatScript.Reply) -> String
    /// An error in the middle of a stream.
    var errorEvent: String { get }
    /// An event that is not JSON.
    var garbage: String { get }
    /// Something that says nothing.
    var signOfLife: String { get }
    /// What a later version of the API may send.
    var unknown: String { get }
}

/// Streams one reply at its pace, with what befalls it.
struct ModelPlayer<Wire: ModelWire>: Sendable {
    struct Cut: Error {}

    var wire: Wire
    let reply: ChatScript.Reply
    var draw: ModelDraw
    let settings: ModelSettings

    /// Every word keeps the space before it.
    static func tokens(_ text: String) -> [String] {
        text.split(separator: " ").enumerated().map { ($0.offset == 0 ? "" : " ") + $0.element }
    }

    mutating func play(to writer: inout any ResponseBodyWriter) async throws {
        if reply.fault == .silence {
            try await send(wire.signOfLife, to: &writer)
            return try await Task.sleep(for: ModelSettings.silenceMax)
        }
        try await Task.sleep(for: draw.firstToken)
        try await send(wire.opening(), to: &writer)
        try await words(to: &writer)
        for piece in wire.toolCalls(reply.toolCalls) { try await send(piece, to: &writer) }
        try await send(wire.ending(reply), to: &writer)
        try await writer.finish(nil)
    }

    private mutating func words(to writer: inout any ResponseBodyWriter) async throws {
        guard reply.fault != .refusal else { return }
        let rate = settings.tokensPerSecond
        let gap = rate > 0 ? Duration.seconds(1) / rate : .zero
        // On a schedule, so that slow writes do not lower the rate.
        let start = ContinuousClock.now
        let tokens = Self.tokens(reply.text)
        let count = reply.fault == .endless ? ModelSettings.endlessTokens : tokens.count
        for index in 0..<count {
            try await misbehave(after: index, to: &writer)
            let late = draw.delay(upTo: settings.jitter)
            if gap + late > .zero { try await Task.sleep(until: start + gap * index + late) }
            try await send(
                wire.word(index < tokens.count ? tokens[index] : " and so on"), to: &writer)
        }
        try await misbehave(after: tokens.count, to: &writer)
    }

    private mutating func misbehave(after tokens: Int, to writer: inout any ResponseBodyWriter) async throws {
        switch reply.fault {
        case .cut(tokens): throw Cut()
        case .cutInFrame(tokens):
            try await send(String(wire.word(" never").dropLast(9)), to: &writer)
            throw Cut()
        case .malformed(tokens): try await send(wire.garbage, to: &writer)
        case .errorEvent(tokens):
            try await send(wire.errorEvent, to: &writer)
            throw Cut()
        case .unknownEvents: try await send(wire.unknown, to: &writer)
        case .trickle where tokens == 2:
            let end = ContinuousClock.now + ModelSettings.silenceMax
            while ContinuousClock.now < end {
                try await send(wire.signOfLife, to: &writer)
                try await Task.sleep(for: .milliseconds(50))
            }
            throw Cut()
        default: break
        }
    }

    private func send(_ text: String, to writer: inout any ResponseBodyWriter) async throws {
        guard reply.fault == .bytewise else { return try await writer.write(ByteBuffer(string: text)) }
        for byte in text.utf8 { try await writer.write(ByteBuffer(bytes: [byte])) }
    }
}
