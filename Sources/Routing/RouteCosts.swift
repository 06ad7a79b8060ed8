import Base

/// What each way of answering one call is expected to cost, miss and keep the caller waiting.
struct RouteCosts {
    let probability: Double
    /// How much more than the policy says a miss counts, by the tenant's own calls.
    let missDearness: Double
    private let notices: Double
    private let falseRate: Double
    private let cheapPrompt: Double
    private let strongCall: Double
    private let cheapToken: Double
    private let cheapWait: Duration
    private let strongWait: Duration

    init(_ request: Router.Request, _ router: Router, _ outcomes: RoutingOutcomes, _ probability: Double) {
        let (cheap, strong) = (router.cheap, router.strong)
        self.probability = probability
        missDearness = outcomes.missDearness
        notices = outcomes.notices
        falseRate = outcomes.handsOverForNothing
        cheapPrompt = cheap.prices.prompt(request.promptTokens, seen: request.seenByCheap, cheap.caching)
        cheapToken = cheap.prices.output.perToken
        strongCall =
            strong.prices.prompt(request.promptTokens, seen: request.seenByStrong, strong.caching)
            + Router.replyTokens * strong.prices.output.perToken
        cheapWait = cheap.firstToken
        strongWait = strong.firstToken
    }

    /// Nano-dollars. A missed tool call is paid again on the strong model.
    func money(_ mode: Router.Mode) -> Double {
        let reply = Router.replyTokens
        switch mode {
        case .scripted: return 0
        case .direct(.strong): return strongCall
        case .direct(.cheap): return cheapPrompt + reply * cheapToken + probability * strongCall
        case .parallel: return cheapPrompt + reply * cheapToken + strongCall
        case .probe:
            let out =
                probability * (notices * Router.handOverTokens + (1 - notices) * reply) + (1 - probability)
                * reply
            return cheapPrompt + out * cheapToken + (probability + (1 - probability) * falseRate) * strongCall
        }
    }

    /// Probability that a tool call is needed and not made.
    func miss(_ mode: Router.Mode) -> Double {
        switch mode {
        case .scripted, .direct(.strong), .parallel: 0
        case .direct(.cheap): probability
        case .probe: probability * (1 - notices)
        }
    }

    /// To the first token, the wait for a hand-over with its probability.
    func wait(_ mode: Router.Mode) -> Duration {
        switch mode {
        case .scripted: .zero
        case .direct(.strong), .parallel: strongWait
        case .direct(.cheap): cheapWait
        case .probe:
            cheapWait + strongWait * (probability * notices + (1 - probability) * falseRate)
        }
    }
}
