import Base
import HTTPClient
import Logging
import NIOCore

/// How long a model may take.
package struct ModelLimits: Sendable {
    /// From the request to the first text or tool call.
    package var firstToken: Duration = .seconds(10)
    /// Longest time without any more words after it, whatever else the vendor sends: a caller waits in the midst of a sentence.
    package var stall: Duration = .milliseconds(2500)
    /// And without any more of a tool call: some vendors send a long argument in one piece.
    package var toolStall: Duration = .seconds(10)
    package var total: Duration = .seconds(90)
    package init() {}

    /// A reply's stream, everything round the words included.
    static let responseBytesMax = 8 << 20
    /// Words and tool arguments of one reply for each token it may have: a server that goes on beyond `maxTokens` is left.
    static let outputBytesPerToken = 16

    /// What a connection may be silent for says nothing of words.
    var http: HTTPLimits {
        HTTPLimits(
            firstByte: firstToken, stall: max(firstToken, toolStall), total: total,
            responseBytesMax: Self.responseBytesMax)
    }
}

/// One reply under way over server-sent events. Everything but `Sendable` closures is touched on the loop only.
final class ModelStream<Assembly: ReplyAssembly>: ChatStream, @unchecked Sendable {
    /// Of an error response, what is read to find its name.
    private static var errorBytesMax: Int { 16 << 10 }

    private let source: String
    private let loop: any EventLoop
    private let limits: ModelLimits
    private let outputBytesMax: Int
    private let prompts: PromptsTold
    private let events: @Sendable (ChatEvent) -> Void
    private var assembly: Assembly
    private var parser = SSEParser()
    private var halves = SurrogateHalves()
    private var status = 0
    private var headers: [(String, String)] = []
    private var errorBody: [UInt8] = []
    private var isOver = false
    private var hasBegun = false
    private var progressAt = NIODeadline.now()
    private var cancellation: HTTPCancellation?
    private var alarm: Scheduled<Void>?

    /// `maxTokens`: of the request. `prompts`: what the call's earlier requests have shown.
    init(
        source: String, assembly: Assembly, maxTokens: Int, prompts: PromptsTold, limits: ModelLimits,
        loop: any EventLoop, events: @escaping @Sendable (ChatEvent) -> Void
    ) {
        self.source = source
        self.assembly = assembly
        self.prompts = prompts
        self.limits = limits
        outputBytesMax = max(1, maxTokens) * ModelLimits.outputBytesPerToken
        self.loop = loop
        self.events = events
    }

    /// Called on the loop.
    func start(_ asking: ModelAsking, over http: HTTPClient) {
        progressAt = loop.now
        watch(until: progressAt + TimeAmount(limits.firstToken))
        ask(asking, over: http)
    }

    private func ask(_ asking: ModelAsking, over http: HTTPClient) {
        cancellation = http.start(
            asking.request,
            onHead: { status, headers in
                self.loop.execute { (self.status, self.headers) = (status, headers) }
                if status == 200 { asking.accepted() }
            },
            onChunk: { bytes in self.loop.execute { self.read(bytes) } },
            onEnd: { result in
                self.loop.execute {
                    if !self.askedAgain(asking, over: http) { self.ended(result) }
                }
            })
    }

    /// The server named a member of the request that it does not take.
    private func askedAgain(_ asking: ModelAsking, over http: HTTPClient) -> Bool {
        var asking = asking
        guard !isOver, asking.rewrite(status: status, answer: errorBody) else { return false }
        (status, headers, errorBody) = (0, [], [])
        ask(asking, over: http)
        return true
    }

    func cancel() {
        guard !isOver else { return }
        over()
    }

    /// Tokens made until now are billed even when nobody waits for the rest.
    var usageSoFar: [Usage] { assembly.usage(source: source, estimating: prompts.last(source)) }

    /// One alarm at a time: when it rings and the reply has come on meanwhile, it is set again.
    private func watch(until due: NIODeadline) {
        alarm = loop.scheduleTask(deadline: due) {
            let next = self.progressAt + TimeAmount(self.limit)
            guard next <= self.loop.now else { return self.watch(until: next) }
            self.finish(.failed(self.hasBegun ? ModelFaults.stalled : ModelFaults.slow))
        }
    }

    private var limit: Duration {
        guard hasBegun else { return limits.firstToken }
        return assembly.hasCalls ? limits.toolStall : limits.stall
    }

    private func over() {
        isOver = true
        alarm?.cancel()
        alarm = nil
        cancellation?.cancel()
        cancellation = nil
    }

    private func finish(_ event: ChatEvent) {
        guard !isOver else { return }
        over()
        events(event)
    }

    private func read(_ bytes: [UInt8]) {
        guard !isOver else { return }
        guard status == 200 else {
            errorBody += bytes.prefix(max(0, Self.errorBytesMax - errorBody.count))
            return
        }
        do {
            for data in try parser.push(bytes) where !isOver { take(data) }
        } catch {
            finish(.failed(ModelFaults.garbled))
        }
    }

    private func take(_ data: [UInt8]) {
        guard !data.isEmpty else { return }
        let before = assembly.bytesOut
        let parts = assembly.add(SurrogateHalves.marked(data))
        if assembly.bytesOut > before || assembly.hasBegun && !hasBegun { progressAt = loop.now }
        if assembly.hasBegun, !hasBegun {
            hasBegun = true
            // What is waited for from now on is less.
            alarm?.cancel()
            watch(until: progressAt + TimeAmount(limit))
            events(.began)
        }
        guard assembly.bytesOut <= outputBytesMax else {
            return finish(.failed(ModelFaults.endless))
        }
        for part in parts where !isOver {
            switch part {
            case .text(let text): tell(halves.push(text))
            case .toolCall(var call):
                tell(halves.finish())
                call.arguments = SurrogateHalves.joined(call.arguments)
                events(.toolCall(call))
            case .failed(let fault): finish(.failed(fault))
            case .end: finishWhole()
            }
        }
    }

    private func tell(_ text: String) { if !text.isEmpty { events(.text(text)) } }

    /// Nothing follows.
    private func finishWhole() {
        guard assembly.isFinished else { return finish(.failed(ModelFaults.cut)) }
        tell(halves.finish())
        if let prompt = assembly.toldPrompt { prompts.note(prompt, of: source) }
        finish(.finished(usageSoFar))
    }

    private func ended(_ result: Result<HTTPTimings, HTTPError>) {
        guard !isOver else { return }
        if status == 200, case .success = result, let rest = parser.finish() { take(rest) }
        guard !isOver else { return }
        switch result {
        case .success where status != 200:
            let fault = ModelFaults.status(
                status, VendorAnswer(headers), name: Assembly.problem(errorBody), now: .wall)
            ModelEndpoint.logger.warning(
                "a model's vendor refused a request",
                metadata: [
                    "source": .string(source), "reason": .string(fault.code),
                    "cause": .string(fault.cause),
                ])
            finish(.failed(fault))
        // A reply that said it was finished is whole, whatever became of the connection.
        case .success where assembly.isFinished, .failure where assembly.isFinished: finishWhole()
        case .success: finish(.failed(ModelFaults.cut))
        case .failure(let error): finish(.failed(Self.fault(error)))
        }
    }

    /// A reply has no effect in the world: repeating the request is always safe.
    private static func fault(_ error: HTTPError) -> Fault {
        switch error {
        case .timeout(.firstByte): return ModelFaults.slow
        case .timeout(.stall): return ModelFaults.stalled
        case .tooLarge: return ModelFaults.endless
        default: break
        }
        var fault = error.fault
        if fault.retry == .unsafe { fault.retry = .after(.zero) }
        fault.code = fault.code.replacing("http.", with: "llm.")
        return fault
    }
}
