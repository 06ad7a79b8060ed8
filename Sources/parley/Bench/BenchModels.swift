import ArgumentParser
import Base
import Foundation
import HTTPClient
import Logging
import NIOCore
import NIOPosix
import Speech
import Synchronization
import VendorSim

/// What a chain of models costs and saves: against two simulated vendors, one reply after another.
struct BenchModels: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models", abstract: "Fallback, hedging and continuation between two simulated vendors.")

    @Option(help: "Replies of each kind.") var replies = 40
    @Option(help: "Milliseconds to a vendor's first token.") var firstToken = 200

    func run() async throws {
        let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        let http = HTTPClient(addresses: .anyAddress, logger: logger)
        var settings = ModelSettings()
        settings.firstToken = .milliseconds(firstToken)
        settings.script = ChatScript([], otherwise: ChatScript.Reply("I have a slot on Tuesday at nine."))
        let chat = try await SimulatedModel.start(settings, logger: logger)
        settings.api = .messages
        let messages = try await SimulatedModel.start(settings, logger: logger)
        let first = Probe(
            OpenAIChatModel(
                ModelEndpoint(vendor: "openai", key: Redacted("k"), baseURL: chat.url, http: http)))
        let second = Probe(
            AnthropicModel(
                ModelEndpoint(vendor: "anthropic", key: Redacted("k"), baseURL: messages.url, http: http)))
        let bench = Runs(first: first, second: second, replies: replies)
        // Connections are opened before a call's first turn, and so before anything is measured.
        _ = try await bench.alone()
        let alone = try await bench.alone()
        let chained = try await bench.chained {}
        let failing = try await bench.chained { chat.fail([.serverError]) }
        let stuck = try await bench.chained { chat.fail([.late(.seconds(8))]) }
        let broken = try await bench.chained { chat.fail([.cut(afterTokens: 3)]) }
        await http.close()
        await chat.stop()
        await messages.stop()
        print(
            JSON.object([
                "replies": .int(Int64(replies)), "first_token_ms": .int(Int64(firstToken)),
                "alone_ms_p50": alone.percentile(50), "chained_ms_p50": chained.first.percentile(50),
                "next_asked_ms_p95": failing.asked.percentile(95),
                "failed_ms_p95": failing.first.percentile(95),
                "stuck_ms_p50": stuck.first.percentile(50), "stuck_ms_p95": stuck.first.percentile(95),
                "continued_asked_ms_p95": broken.asked.percentile(95),
                "replies_lost": .int(
                    Int64(chained.lost + failing.lost + stuck.lost + broken.lost)),
            ]).text)
    }
}

/// Replies of one kind.
private struct Runs {
    static let loop = MultiThreadedEventLoopGroup.singleton.next()

    struct Result {
        /// To the first word, milliseconds.
        var first: [Double] = []
        /// From the first model's failure to the request to the next.
        var asked: [Double] = []
        var lost = 0
    }

    let first: Probe
    let second: Probe
    let replies: Int

    private static let request = ChatRequest(
        model: "m", messages: [.system("Be brief."), .user("When?")], tools: [], temperature: nil,
        maxTokens: 100)

    func alone() async throws -> [Double] {
        var times: [Double] = []
        for _ in 0..<replies {
            for probe in [first, second] {
                if let time = try await firstWord(of: probe) { times.append(time) }
            }
        }
        return times
    }

    /// Each with a worker's memory of its own, so that no breaker opens and no pace is known.
    func chained(_ prepare: () -> Void) async throws -> Result {
        var result = Result()
        for _ in 0..<replies {
            prepare()
            (first.failedAt, second.askedAt) = (nil, nil)
            let members = [
                ModelChain.Member(choice: ModelChoice(vendor: "openai", model: "m"), model: first, host: "a"),
                ModelChain.Member(
                    choice: ModelChoice(vendor: "anthropic", model: "m"), model: second, host: "b"),
            ]
            let chain = ModelChain(
                members, tenant: ID(high: 1, low: 1), cacheKey: nil, health: ModelHealth())
            if let time = try await firstWord(of: chain) {
                result.first.append(time)
            } else {
                result.lost += 1
            }
            if let failed = first.failedAt, let asked = second.askedAt {
                result.asked.append((asked - failed).milliseconds)
            }
        }
        return result
    }

    /// nil when the reply failed. Waits for its end.
    private func firstWord(of model: any LanguageModel) async throws -> Double? {
        let (events, sink) = AsyncStream.makeStream(of: (ChatEvent, ContinuousClock.Instant).self)
        let start = ContinuousClock.now
        let stream = try await Self.loop.submit {
            NIOLoopBound(
                model.reply(to: Self.request, on: Self.loop) { event in
                    sink.yield((event, .now))
                    switch event {
                    case .finished, .failed: sink.finish()
                    case .began, .text, .toolCall, .fellBack: break
                    }
                }, eventLoop: Self.loop)
        }.get()
        var time: Double?
        for await (event, at) in events {
            switch event {
            case .text: time = time ?? (at - start).milliseconds
            case .failed: time = nil
            case .began, .toolCall, .fellBack, .finished: break
            }
        }
        withExtendedLifetime(stream) {}
        return time
    }
}

/// A model that notes when it was asked and when it failed.
private final class Probe: LanguageModel {
    private let model: any LanguageModel
    private let times = Mutex<(asked: ContinuousClock.Instant?, failed: ContinuousClock.Instant?)>((nil, nil))

    init(_ model: any LanguageModel) { self.model = model }

    var askedAt: ContinuousClock.Instant? {
        get { times.withLock { $0.asked } }
        set { times.withLock { $0.asked = newValue } }
    }
    var failedAt: ContinuousClock.Instant? {
        get { times.withLock { $0.failed } }
        set { times.withLock { $0.failed = newValue } }
    }

    func reply(
        to request: ChatRequest, on loop: any EventLoop, events: @escaping @Sendable (ChatEvent) -> Void
    ) -> any ChatStream {
        askedAt = .now
        return model.reply(to: request, on: loop) { event in
            if case .failed = event { self.failedAt = .now }
            events(event)
        }
    }
}

extension Duration {
    fileprivate var milliseconds: Double { Double(nanoseconds) / 1e6 }
}
