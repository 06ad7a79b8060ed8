import Base
import Glibc
package import NIOSSL

/// How a simulated model vendor behaves.
package struct ModelSettings: Sendable {
    /// How long a model that has fallen silent keeps the connection.
    package static let silenceMax: Duration = .seconds(60)
    /// Tokens of a reply without end.
    package static let endlessTokens = 200_000
    static let requestsMax = 10_000

    /// Whose wire format is spoken.
    package enum API: Sendable {
        /// OpenAI's chat completions.
        case chat
        /// Anthropic's Messages.
        case messages
    }

    package var api = API.chat
    /// 0 takes a free port.
    package var port = 0
    /// nil: plain HTTP.
    package var tls: TLSConfiguration?
    /// nil: any key is good.
    package var key: String?
    package var script = ChatScript.appointmentDesk()
    /// To the first token; with a spread its median.
    package var firstToken: Duration = .milliseconds(150)
    /// Of the log-normal distribution of `firstToken`: the standard deviation of its logarithm. 0: always the same.
    package var firstTokenSpread = 0.0
    /// Words a second; zero: all at once.
    package var tokensPerSecond = 80
    /// Each word comes up to this much later than its rate says.
    package var jitter: Duration = .zero
    /// `Retry-After` is written as a date.
    package var retriesAtDate = false
    /// Members of a request that are answered with 400 and named, as strict servers do; `strict` is one of tools.
    package var refusedMembers: Set<String> = []
    /// What the model thought comes beside `completion_tokens`, so many, as xAI counts.
    package var thoughtTokens: Int64 = 0
    /// Of a hundred requests so many meet one of `faults`, drawn evenly.
    package var faultPercent = 0
    package var faults: [ChatScript.Fault] = []
    /// The same seed gives the same delays and faults, request by request.
    package var seed: UInt64 = 1
    package init() {}
}

/// What one request of a simulated vendor meets.
struct ModelDraw: Sendable {
    var firstToken: Duration
    var fault: ChatScript.Fault?
    /// For the jitter of the words.
    var random: SeededGenerator

    /// Each request has its own numbers, whatever those before it took.
    init(_ settings: ModelSettings, request: Int) {
        random = SeededGenerator(seed: settings.seed &* 0x1_0001 &+ UInt64(request))
        firstToken = settings.firstToken
        if settings.firstTokenSpread > 0 {
            firstToken = firstToken * exp(settings.firstTokenSpread * Self.gaussian(&random))
        }
        guard !settings.faults.isEmpty, Int(random.next() % 100) < settings.faultPercent else { return }
        fault = settings.faults[Int(random.next() % UInt64(settings.faults.count))]
    }

    mutating func delay(upTo jitter: Duration) -> Duration {
        jitter > .zero ? jitter * Double.random(in: 0..<1, using: &random) : .zero
    }

    /// Box and Muller's transform.
    private static func gaussian(_ random: inout SeededGenerator) -> Double {
        let radius = (-2 * log(Double.random(in: Double.leastNormalMagnitude..<1, using: &random)))
            .squareRoot()
        return radius * cos(2 * .pi * Double.random(in: 0..<1, using: &random))
    }
}
