package import Base
package import NIOCore
package import Routing

/// A cheap and a strong model as one: the router says for each request who answers it and how, `RoutedReply` what becomes
/// of that.
///
/// Lives on the call's loop. A reply's usage is that of all requests made for it.
package final class RoutedModel: LanguageModel, @unchecked Sendable {
    /// What the call and its agent lay down.
    package struct Settings: Sendable {
        package var router: Router
        /// What a token costs, by model as usage names it.
        package var prices: [String: TokenPrice]
        /// Which of the tenant's agents speaks: outcomes are counted by it.
        package var agent: String
        /// Where the call falls between 0 and 1: below the canary share it is routed.
        package var lot: Double
        package var learns: Bool
        /// By the tenant's routed requests of this day until the call began.
        package var spentToday = Money.zero
        /// The tool that only ends the call: using it is no act that needs the strong model.
        package var closingTool: String?
        package init(
            router: Router, prices: [String: TokenPrice], agent: String, lot: Double, learns: Bool
        ) {
            self.router = router
            self.prices = prices
            self.agent = agent
            self.lot = lot
            self.learns = learns
        }
    }

    private let cheap: ModelChain
    private let strong: ModelChain
    fileprivate let lessons: RoutingLessons
    fileprivate private(set) var settings: Settings
    fileprivate private(set) var history: RoutedHistory
    private var answeredLastBy: Router.Tier?
    /// The cheap model alone called a tool in answer to so many messages.
    private var trusted: (decision: Decision, messages: Int)?
    private var answers = CorrectedAnswers()
    /// Of the newest turn.
    private var handOvers = (turn: 0, count: 0)
    private var spentOnCall = Money.zero
    private var requests = 0

    /// `cheap` is a model that is asked once, `strong` the prompt's own with its fallbacks.
    package init(
        cheap: ModelChain.Member, strong: [ModelChain.Member], settings: Settings, tenant: ID<Tenant>,
        cacheKey: String?, health: ModelHealth, lessons: RoutingLessons
    ) {
        let turn = TurnPlan()
        self.cheap = ModelChain(
            [cheap], tenant: tenant, cacheKey: cacheKey, health: health, policy: .once, turn: turn)
        self.strong = ModelChain(
            strong, tenant: tenant, cacheKey: cacheKey, health: health, policy: .init(), turn: turn)
        self.settings = settings
        history = RoutedHistory(closingTool: settings.closingTool)
        self.lessons = lessons
    }

    package func prepare(on loop: any EventLoop) {
        if settings.learns { lessons.open(strong.tenant) }
        strong.prepare(on: loop)
        cheap.prepare(on: loop)
    }

    package func reply(
        to request: ChatRequest, on loop: any EventLoop, events: @escaping @Sendable (ChatEvent) -> Void
    ) -> any ChatStream {
        let decision = decide(request, at: loop.now.sinceBoot)
        let reply = RoutedStream(self, request, decision, on: loop, events: events)
        reply.begin()
        return reply
    }

    package func spare(_ request: ChatRequest, line: String, on loop: any EventLoop) -> RouteFact? {
        let decision = decide(request, isKnown: true, at: loop.now.sinceBoot)
        let choice = decision.choice
        let said = PromptEconomy.tokens([.assistant(line)])
        func alone(_ tier: Router.Tier) -> Money {
            Money(
                estimated: settings.router.cost(
                    tier, prompt: decision.request.promptTokens, seen: decision.seenAlways, output: said))
        }
        return RouteFact(
            number: decision.number, turn: request.turn, isDraft: false, mode: choice.mode.name, model: "",
            reason: choice.reason, toolProbability: choice.toolProbability, expectedCost: .zero,
            expectedWaitMs: 0, spent: .zero, alwaysStrong: alone(.strong), alwaysCheap: alone(.cheap),
            handedOver: false)
    }

    /// One decision, and what it was made on.
    struct Decision {
        var number: Int
        var request: Router.Request
        var choice: Router.Choice
        /// Tokens of the prompt that a model had seen if it had answered all requests before.
        var seenAlways: Int
        /// How long the cheap model's first token may take.
        var patience: Duration
    }

    /// `isKnown`: the agent has the line that answers.
    func decide(_ request: ChatRequest, isKnown: Bool = false, at now: Duration) -> Decision {
        if !request.goesOnWithADraft { judgeTrusted(by: request.said) }
        note(.cheap, cheap, at: now)
        note(.strong, strong, at: now)
        var (routed, seenAlways) = history.follow(request, at: now, settings.router)
        let corrected = answers.asked(request.turn, corrects: routed.correctsAgent)
        if let corrected, settings.learns {
            lessons.noteCorrection(corrected.request, corrected.choice, of: strong.tenant)
        }
        routed.agent = settings.agent
        routed.hasScriptedLine = isKnown
        routed.lot = settings.lot
        routed.spentOnCall = spentOnCall.nanos
        routed.spentToday = (settings.spentToday + spentOnCall).nanos
        routed.answeredLastBy = answeredLastBy
        if handOvers.turn != request.turn { handOvers = (request.turn, 0) }
        routed.handOversThisTurn = handOvers.count
        requests += 1
        let choice = lessons.choose(routed, settings.router, of: settings.learns ? strong.tenant : nil)
        return Decision(
            number: requests, request: routed, choice: choice, seenAlways: seenAlways,
            patience: cheap.health.patience(cheap.key(0), isDraft: request.isDraft))
    }

    private func note(_ tier: Router.Tier, _ chain: ModelChain, at now: Duration) {
        let isWell = chain.members.indices.contains {
            chain.health.isWell(chain.key($0), chain.account($0), at: now)
        }
        let before = tier == .cheap ? settings.router.cheap : settings.router.strong
        let firstToken = chain.health.firstToken(chain.key(0)) ?? before.firstToken
        settings.router.note(tier, firstToken: firstToken, isHealthy: isWell)
    }

    /// What became of the tool calls that the cheap model made alone.
    private func judgeTrusted(by said: [ChatMessage]) {
        guard let trusted, said.count > trusted.messages, case .toolCalls = said[trusted.messages] else {
            return
        }
        self.trusted = nil
        let results = said[(trusted.messages + 1)...].prefix {
            if case .toolResult = $0 { true } else { false }
        }
        guard results.contains(where: \.isRefusal) else { return }
        lessons.noteMiss(trusted.decision.request, trusted.decision.choice, of: strong.tenant)
    }

    /// `tier` is asked `request`, in whichever form.
    fileprivate func asked(_ tier: Router.Tier, _ request: ChatRequest, at now: Duration) -> ModelChain {
        history.sent(request, to: tier, at: now)
        return tier == .cheap ? cheap : strong
    }

    /// A reply is over: what came of it, and what the next choice is made on.
    fileprivate func settle(_ decision: Decision, _ request: ChatRequest, _ end: RoutedEnd) {
        answeredLastBy = end.speaker ?? answeredLastBy
        spentOnCall += end.fact.spent
        if end.fact.handedOver, handOvers.turn == end.fact.turn { handOvers.count += 1 }
        let isAlone = decision.choice.mode == .direct(.cheap) && end.speaker == .cheap && end.isWhole
        answers.answered(request.turn, by: isAlone && !end.calledTool && !end.hasClosed ? decision : nil)
        // What a draft went on with teaches nothing: its tools may have been run in vain.
        guard settings.learns, end.isWhole, !request.goesOnWithADraft else { return }
        let isTrusted = isAlone && end.calledTool
        trusted = isTrusted ? (decision, request.said.count) : nil
        lessons.note(decision.request, decision.choice, end, of: strong.tenant)
    }
}

/// How a routed reply ended.
struct RoutedEnd {
    var fact: RouteFact
    var speaker: Router.Tier?
    /// Other than to end the call.
    var calledTool: Bool
    /// It asked to end the call.
    var hasClosed = false
    /// The cheap model called a tool that was not offered, or one without arguments that can be read.
    var hasSpoiled = false
    /// It came to its end, so what it did is what was needed.
    var isWhole: Bool
}

/// One routed reply. On the loop only.
private final class RoutedStream: ChatStream, @unchecked Sendable {
    private struct Lane {
        var stream: (any ChatStream)?
        let form: RoutedReply.Form
        var told: [Usage]?
        var usage: [Usage] { told ?? stream?.usageSoFar ?? [] }
    }

    private let model: RoutedModel
    private let request: ChatRequest
    private let decision: RoutedModel.Decision
    private let loop: any EventLoop
    private let events: @Sendable (ChatEvent) -> Void
    private var machine: RoutedReply
    private var lanes: [Router.Tier: Lane] = [:]
    /// Of a request whose place another to the same model has taken.
    private var before: [Usage] = []
    private(set) var route: RouteFact?
    private var calledTool = false
    private var hasClosed = false
    private var hasSpoiled = false
    private var alarm: Scheduled<Void>?

    init(
        _ model: RoutedModel, _ request: ChatRequest, _ decision: RoutedModel.Decision,
        on loop: any EventLoop, events: @escaping @Sendable (ChatEvent) -> Void
    ) {
        self.model = model
        self.request = request
        self.decision = decision
        self.loop = loop
        self.events = events
        machine = RoutedReply(decision.choice.mode)
    }

    func begin() {
        handle(.start)
        guard machine.isWaitingForCheap else { return }
        alarm = loop.scheduleTask(deadline: loop.now + TimeAmount(decision.patience)) { self.handle(.late) }
    }

    func cancel() {
        guard route == nil else { return }
        for tier in [Router.Tier.cheap, .strong] { drop(tier) }
        over(isWhole: false)
    }

    var usageSoFar: [Usage] { (before + lanes.values.flatMap(\.usage)).merged }

    var speaker: ModelChoice? { machine.speaker.flatMap { lanes[$0]?.stream?.speaker } }

    private func handle(_ input: RoutedReply.Input) {
        guard route == nil else { return }
        for effect in machine.handle(input) { perform(effect) }
        if !machine.isWaitingForCheap { alarm?.cancel() }
    }

    private func perform(_ effect: RoutedReply.Effect) {
        switch effect {
        case .ask(let tier, let form, let said, let isFirst): ask(tier, form, said: said, isFirst: isFirst)
        case .drop(let tier): drop(tier)
        case .began: events(.began)
        case .text(let text): events(.text(text))
        case .toolCall(let call):
            if call.name == model.settings.closingTool { hasClosed = true } else { calledTool = true }
            events(.toolCall(call))
        case .finish:
            over(isWhole: true)
            events(.finished(usageSoFar))
        case .fail(let fault):
            over(isWhole: false)
            events(.failed(fault))
        }
    }

    private func ask(_ tier: Router.Tier, _ form: RoutedReply.Form, said: String, isFirst: Bool) {
        before += lanes[tier]?.usage ?? []
        var asked = request
        if form == .probe { asked.tools = [HandOver.tool(for: request.tools)] }
        if !said.isEmpty { asked.messages += Continuation.messages(said) }
        // The reply has been counted as a draft already.
        if !isFirst { asked.isDraft = false }
        let chain = model.asked(tier, request, at: loop.now.sinceBoot)
        lanes[tier] = Lane(form: form)
        lanes[tier]?.stream = chain.reply(to: asked, on: loop) { [weak self] event in
            self?.received(event, from: tier)
        }
    }

    private func received(_ event: ChatEvent, from tier: Router.Tier) {
        guard let lane = lanes[tier], lane.told == nil else { return }
        switch event {
        case .began: handle(.began(tier))
        case .text(let text): handle(.text(tier, text))
        case .toolCall(let call): handle(.toolCall(tier, call))
        case .fellBack: events(event)
        case .finished(let usage):
            lanes[tier]?.told = usage
            handle(.finished(tier))
        case .failed(let fault):
            lanes[tier]?.told = lane.usage
            if tier == .cheap, fault.isOfTheModels { hasSpoiled = true }
            handle(.failed(tier, fault))
        }
    }

    private func drop(_ tier: Router.Tier) {
        guard let lane = lanes[tier], lane.told == nil else { return }
        lane.stream?.cancel()
        lanes[tier]?.told = lane.usage
    }

    private func over(isWhole: Bool) {
        alarm?.cancel()
        let settings = model.settings
        let spent = settings.cost(of: usageSoFar)
        let alone = alone(settings.router)
        let choice = decision.choice
        let fact = RouteFact(
            number: decision.number, turn: request.turn, isDraft: request.isDraft, mode: choice.mode.name,
            shadowed: choice.shadowed?.name, model: speaker?.source ?? "", reason: choice.reason,
            toolProbability: choice.toolProbability, expectedCost: Money(estimated: choice.expectedCost),
            expectedWaitMs: Int(choice.expectedWait.milliseconds), spent: spent,
            alwaysStrong: isAsAlways(settings.router) ? spent : alone.strong, alwaysCheap: alone.cheap,
            handedOver: machine.hasHandedOver)
        route = fact
        model.settle(
            decision, request,
            RoutedEnd(
                fact: fact, speaker: machine.speaker, calledTool: calledTool, hasClosed: hasClosed,
                hasSpoiled: hasSpoiled, isWhole: isWhole))
    }

    /// The strong model alone was asked, and its cache held as much as if it always were: no estimate is needed.
    private func isAsAlways(_ router: Router) -> Bool {
        let (request, caching) = (decision.request, router.strong.caching)
        return lanes[.cheap] == nil
            && caching.hit(request.promptTokens, seen: request.seenByStrong)
                == caching.hit(request.promptTokens, seen: decision.seenAlways)
    }

    /// What either model alone would have cost, by the tokens that the vendor counted for the one that spoke.
    private func alone(_ router: Router) -> (cheap: Money, strong: Money) {
        let lane = machine.speaker.flatMap { lanes[$0] } ?? lanes[.strong] ?? lanes[.cheap]
        let usage = lane?.usage ?? []
        let whole = Double(decision.request.promptTokens)
        let sent =
            lane?.form == .probe
            ? whole - Double(model.history.toolTokens) + Double(PromptEconomy.handOverFunctionTokens) : whole
        let counted = Double(usage.tokens([.inputTokens, .cachedTokens, .cacheWriteTokens]))
        let scale = counted > 0 && sent > 0 ? counted / sent : 1
        let output = Int(usage.tokens([.outputTokens]))
        func cost(_ tier: Router.Tier) -> Money {
            Money(
                estimated: router.cost(
                    tier, prompt: Int(whole * scale), seen: Int(Double(decision.seenAlways) * scale),
                    output: output))
        }
        return (cost(.cheap), cost(.strong))
    }
}

extension RoutedModel.Settings {
    /// By the call's prices; a model without a price by the token counts for nothing here.
    func cost(of usage: [Usage]) -> Money {
        Dictionary(grouping: usage, by: \.source).reduce(.zero) { sum, part in
            guard let price = prices[part.key] else { return sum }
            let used = part.value
            return sum
                + price.cost(
                    input: used.tokens([.inputTokens]), cached: used.tokens([.cachedTokens]),
                    cacheWrite: used.tokens([.cacheWriteTokens]), output: used.tokens([.outputTokens]))
        }
    }
}

extension [Usage] {
    /// Of these kinds together; whatever a vendor tells stays in range.
    fileprivate func tokens(_ units: [Usage.Unit]) -> Int64 {
        reduce(0) { sum, usage in
            let quantity = Swift.max(0, Swift.min(usage.quantity, TokenPrice.tokensMax))
            return units.contains(usage.unit) ? sum + quantity : sum
        }
    }
}

extension ChatRequest {
    /// All of the call so far, in whatever form it is sent.
    fileprivate var said: [ChatMessage] { dialogue ?? messages }

    /// After tools that were run before the caller's turn was over.
    fileprivate var goesOnWithADraft: Bool {
        if isDraft, case .toolResult = said.last { true } else { false }
    }
}

extension ChatMessage {
    /// A tool's result that says that it was called wrongly: there is none such, or its arguments were not taken. That it could
    /// not be reached, or was slow, is not the model's fault.
    fileprivate var isRefusal: Bool {
        guard case .toolResult(_, let content) = self, let error = JSON(parsing: content)?["error"]?.string
        else {
            return false
        }
        return error.hasPrefix("tool.") ? error.hasPrefix("tool.status_4") : error != "timeout"
    }
}

extension Fault {
    /// A tool call as no tool takes it.
    fileprivate var isOfTheModels: Bool {
        code == ModelFaults.badToolCall.code || code == ModelFaults.unknownTool.code
    }
}
