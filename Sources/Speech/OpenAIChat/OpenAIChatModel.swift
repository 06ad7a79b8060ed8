package import Base
import Foundation
package import HTTPClient
package import NIOCore

/// A chat model behind any OpenAI-compatible endpoint, streamed over server-sent events.
///
/// Source: `POST {base}/chat/completions`, OpenAI's API reference.
package struct OpenAIChatModel: LanguageModel {
    package struct Limits: Sendable {
        /// From the request to the first text or tool call.
        package var firstToken: Duration = .seconds(10)
        /// Longest silence after it.
        package var stall: Duration = .seconds(10)
        package var total: Duration = .seconds(90)
        package init() {}
    }

    /// A reply's stream; `charactersMax` of speech would last for hours.
    private static let responseBytesMax = 8 << 20

    let vendor: String
    let key: Redacted<String>
    let baseURL: String
    let http: HTTPClient
    let limits: Limits

    /// `vendor` names the source in usage; `baseURL` ends before `/chat/completions`; an empty key sends none.
    package init(
        vendor: String, key: Redacted<String>, baseURL: String, http: HTTPClient, limits: Limits = Limits()
    ) {
        self.vendor = vendor
        self.key = key
        self.baseURL = baseURL
        self.http = http
        self.limits = limits
    }

    package func reply(
        to request: ChatRequest, on loop: any EventLoop, events: @escaping @Sendable (ChatEvent) -> Void
    ) -> any ChatStream {
        let stream = OpenAIChatStream(
            source: "\(vendor)/\(request.model)", charactersIn: Self.characters(of: request), loop: loop,
            events: events)
        do {
            stream.start(try httpRequest(request), over: http, firstToken: limits.firstToken)
        } catch {
            stream.failSoon(
                Fault(code: "llm.bad_request", retry: .never, cause: "the request has no JSON form"))
        }
        return stream
    }

    private func httpRequest(_ request: ChatRequest) throws -> HTTPRequest {
        var headers = [("Content-Type", "application/json"), ("Accept", "text/event-stream")]
        if !key.reveal.isEmpty { headers.append(("Authorization", "Bearer \(key.reveal)")) }
        var base = baseURL[...]
        while base.last == "/" { base.removeLast() }
        return HTTPRequest(
            method: "POST", url: "\(base)/chat/completions", headers: headers,
            body: try ChatWire.body(request, limitName: limitName),
            limits: HTTPLimits(
                firstByte: limits.firstToken, stall: limits.stall, total: limits.total,
                responseBytesMax: Self.responseBytesMax))
    }

    /// OpenAI's newer models refuse `max_tokens`; most compatible servers know nothing else.
    private var limitName: String {
        baseURL.contains("api.openai.com") ? "max_completion_tokens" : "max_tokens"
    }

    private static func characters(of request: ChatRequest) -> Int {
        request.messages.reduce(0) { sum, message in
            switch message {
            case .system(let text), .user(let text), .assistant(let text), .toolResult(_, let text):
                sum + text.utf8.count
            case .toolCalls(let calls, let text):
                sum + text.utf8.count + calls.reduce(0) { $0 + $1.name.utf8.count + $1.arguments.utf8.count }
            }
        }
    }
}

/// One reply under way. Everything but `Sendable` closures is touched on the loop only.
final class OpenAIChatStream: ChatStream, @unchecked Sendable {
    /// Of an error response, what is read to find its code.
    private static let errorBytesMax = 16 << 10

    private let source: String
    private let loop: any EventLoop
    private let events: @Sendable (ChatEvent) -> Void
    private var assembly: ChatAssembly
    private var parser = SSEParser()
    private var status = 0
    private var headers: [(String, String)] = []
    private var errorBody: [UInt8] = []
    private var isOver = false
    private var cancellation: HTTPCancellation?
    private var alarm: Scheduled<Void>?

    init(
        source: String, charactersIn: Int, loop: any EventLoop,
        events: @escaping @Sendable (ChatEvent) -> Void
    ) {
        self.source = source
        self.loop = loop
        self.events = events
        assembly = ChatAssembly(charactersIn: charactersIn)
    }

    /// Called on the loop.
    func start(_ request: HTTPRequest, over http: HTTPClient, firstToken: Duration) {
        alarm = loop.scheduleTask(in: TimeAmount(firstToken)) { self.finish(.failed(ChatFaults.slow)) }
        cancellation = http.start(
            request,
            onHead: { status, headers in
                self.loop.execute { (self.status, self.headers) = (status, headers) }
            },
            onChunk: { bytes in self.loop.execute { self.read(bytes) } },
            onEnd: { result in self.loop.execute { self.ended(result) } })
    }

    func failSoon(_ fault: Fault) { loop.execute { self.finish(.failed(fault)) } }

    func cancel() {
        guard !isOver else { return }
        over()
    }

    /// Tokens made until now are billed even when nobody waits for the rest.
    var usageSoFar: [Usage] { assembly.usage(source: source) }

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
            finish(.failed(ChatFaults.garbled))
        }
    }

    private func take(_ data: [UInt8]) {
        guard !data.isEmpty else { return }
        if data.elementsEqual("[DONE]".utf8) {
            finish(assembly.isFinished ? .finished(usageSoFar) : .failed(ChatFaults.cut))
            return
        }
        guard let chunk = ChatWire.chunk(data) else { return finish(.failed(ChatFaults.garbled)) }
        let outputs = assembly.add(chunk)
        if assembly.hasOutput || assembly.isFinished {
            alarm?.cancel()
            alarm = nil
        }
        for output in outputs where !isOver {
            switch output {
            case .text(let text): events(.text(text))
            case .toolCall(let call): events(.toolCall(call))
            case .failed(let fault): finish(.failed(fault))
            }
        }
    }

    private func ended(_ result: Result<HTTPTimings, HTTPError>) {
        guard !isOver else { return }
        if status == 200, case .success = result, let rest = parser.finish() { take(rest) }
        guard !isOver else { return }
        switch result {
        case .success where status != 200:
            let fault = ChatFaults.status(status, headers: headers, problem: ChatWire.problem(errorBody))
            finish(.failed(fault))
        // A reply that said it was finished is whole, whatever became of the connection.
        case .success where assembly.isFinished, .failure where assembly.isFinished:
            finish(.finished(usageSoFar))
        case .success: finish(.failed(ChatFaults.cut))
        case .failure(let error): finish(.failed(Self.fault(error)))
        }
    }

    /// A chat request has no effect in the world: repeating it is always safe.
    private static func fault(_ error: HTTPError) -> Fault {
        if case .timeout(.firstByte) = error { return ChatFaults.slow }
        var fault = error.fault
        if fault.retry == .unsafe { fault.retry = .after(.zero) }
        fault.code = fault.code.replacing("http.", with: "llm.")
        return fault
    }
}
