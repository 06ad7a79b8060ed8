package import Base
import Metrics
package import NIOCore

/// An agent's models for one call, first choice first, as one model: see `ReplyChain` for who is asked when.
///
/// Lives on the call's loop. A reply's usage is that of all requests made for it.
package final class ModelChain: LanguageModel, @unchecked Sendable {
    /// One model of the chain.
    package struct Member: Sendable {
        package var choice: ModelChoice
        package var model: any LanguageModel
        /// Where it is asked: the breaker's key has it.
        package var host: String
        /// What it is asked with.
        package var credential: Redacted<String>
        package init(
            choice: ModelChoice, model: any LanguageModel, host: String,
            credential: Redacted<String> = Redacted("")
        ) {
            self.choice = choice
            self.model = model
            self.host = host
            self.credential = credential
        }
    }

    /// Models of one agent.
    package static let membersMax = 4

    let members: [Member]
    let tenant: ID<Tenant>
    let health: ModelHealth
    private let cacheKey: String?
    fileprivate let policy: ReplyChain.Policy
    fileprivate let turn: TurnPlan

    /// `members`: at least one. `cacheKey`: see `ChatRequest`.
    package convenience init(
        _ members: [Member], tenant: ID<Tenant>, cacheKey: String?, health: ModelHealth
    ) {
        self.init(
            members, tenant: tenant, cacheKey: cacheKey, health: health, policy: .init(), turn: TurnPlan())
    }

    /// `turn`: shared by chains that answer the same turns.
    init(
        _ members: [Member], tenant: ID<Tenant>, cacheKey: String?, health: ModelHealth,
        policy: ReplyChain.Policy, turn: TurnPlan
    ) {
        precondition(!members.isEmpty, "a chain needs a model")
        self.members = members
        self.tenant = tenant
        self.health = health
        self.cacheKey = cacheKey
        self.policy = policy
        self.turn = turn
    }

    package func reply(
        to request: ChatRequest, on loop: any EventLoop, events: @escaping @Sendable (ChatEvent) -> Void
    ) -> any ChatStream {
        turn.begin(request.turn)
        var request = request
        request.cacheKey = cacheKey
        let reply = ChainedReply(self, request, on: loop, events: events)
        reply.begin()
        return reply
    }

    /// The first choice and its first stand-in: who is asked further down has failed twice already.
    package func prepare(on loop: any EventLoop) {
        for member in members.prefix(2) where health.isConnectionDue(member.host, at: loop.now.sinceBoot) {
            member.model.prepare(on: loop)
        }
    }

    func key(_ choice: Int) -> CircuitBreakers.Key {
        let member = members[choice]
        return CircuitBreakers.Key(
            stage: "llm", vendor: member.choice.vendor, product: member.choice.model, host: member.host)
    }

    func account(_ choice: Int) -> AccountLimits.Account {
        AccountLimits.Account(
            tenant: tenant, asked: key(choice), credential: members[choice].credential)
    }
}

/// What may still be asked for the newest turn. On the call's loop only.
final class TurnPlan {
    fileprivate var plan = ReplyPlan(turn: 0)

    fileprivate func begin(_ turn: Int) {
        if turn == 0 || turn != plan.turn { plan = ReplyPlan(turn: turn) }
    }
}

/// One reply of a chain. On the loop only.
private final class ChainedReply: ChatStream, @unchecked Sendable {
    private struct Running {
        let choice: Int
        let askedAt: NIODeadline
        var stream: (any ChatStream)?
        var hasBegun = false
        var isOver = false
    }

    private let chain: ModelChain
    private let request: ChatRequest
    private let loop: any EventLoop
    private let events: @Sendable (ChatEvent) -> Void
    private var machine: ReplyChain
    private var running: [Int: Running] = [:]
    private var spent: [Usage] = []
    private var lastFault: Fault?
    private(set) var speaker: ModelChoice?
    private var isOver = false
    private var alarm: Scheduled<Void>?

    init(
        _ chain: ModelChain, _ request: ChatRequest, on loop: any EventLoop,
        events: @escaping @Sendable (ChatEvent) -> Void
    ) {
        self.chain = chain
        self.request = request
        self.loop = loop
        self.events = events
        let patience = chain.members.indices.map {
            chain.health.patience(chain.key($0), isDraft: request.isDraft)
        }
        machine = ReplyChain(
            patience: patience, isDraft: request.isDraft, mayBeEmpty: request.hasAnswered,
            policy: chain.policy)
    }

    /// What must not be told before `reply` has returned waits for the loop's next turn.
    func begin() { loop.execute { self.handle(.start) } }

    func cancel() {
        guard !isOver else { return }
        over()
        for number in running.keys { drop(number, isLoser: false) }
    }

    var usageSoFar: [Usage] {
        (spent + running.values.flatMap { $0.stream?.usageSoFar ?? [] }).merged
    }

    private func over() {
        isOver = true
        alarm?.cancel()
        alarm = nil
    }

    private func handle(_ input: ReplyChain.Input) {
        guard !isOver else { return }
        for effect in machine.handle(input, at: loop.now.sinceBoot, plan: &chain.turn.plan) {
            perform(effect)
        }
        rearm()
    }

    private func rearm() {
        alarm?.cancel()
        alarm = nil
        guard !isOver, let due = machine.deadline else { return }
        alarm = loop.scheduleTask(deadline: .uptimeNanoseconds(UInt64(clamping: due.nanoseconds))) {
            self.handle(.deadline)
        }
    }

    private func perform(_ effect: ReplyChain.Effect) {
        guard !isOver else { return }
        switch effect {
        case .ask(let number, let choice, let purpose, let said, let isForced):
            ask(number, choice, purpose, said: said, isForced: isForced)
        case .drop(let number): drop(number, isLoser: true)
        case .began: events(.began)
        case .text(let text): events(.text(text))
        case .toolCall(let call): events(.toolCall(call))
        case .cut(let fault): events(.fellBack(to: nil, fault))
        case .finish: end { .finished($0) }
        case .fail(let fault):
            // What failed requests cost is told all the same: the caller of this port asks for it.
            end { _ in .failed(fault) }
        }
    }

    private func end(_ event: ([Usage]) -> ChatEvent) {
        let usage = usageSoFar
        over()
        spent = usage
        running = [:]
        events(event(usage))
    }

    private func ask(
        _ number: Int, _ choice: Int, _ purpose: ReplyPlan.Purpose, said: String, isForced: Bool
    ) {
        let now = loop.now
        let key = chain.key(choice)
        if let fault = chain.health.accounts.block(chain.account(choice), at: now.sinceBoot) {
            return handle(.failed(number, fault))
        }
        guard chain.health.breakers.admit(key, at: now.sinceBoot) || isForced else {
            return handle(.refused(number))
        }
        count(key, "\(purpose)")
        if purpose == .fallback, let lastFault {
            events(.fellBack(to: chain.members[choice].choice, lastFault))
        }
        var request = request
        request.model = chain.members[choice].choice.model
        if !said.isEmpty { request.messages += Continuation.messages(said) }
        running[number] = Running(choice: choice, askedAt: now)
        let stream = chain.members[choice].model.reply(to: request, on: loop) { [weak self] event in
            self?.received(event, from: number)
        }
        if running[number]?.isOver == false { running[number]?.stream = stream }
    }

    private func received(_ event: ChatEvent, from number: Int) {
        guard !isOver, var run = running[number], !run.isOver else { return }
        let now = loop.now
        let key = chain.key(run.choice)
        switch event {
        case .began:
            run.hasBegun = true
            running[number] = run
            speaker = chain.members[run.choice].choice
            chain.health.began(
                key, after: .nanoseconds((now - run.askedAt).nanoseconds), at: now.sinceBoot)
            handle(.began(number))
        case .text(let text): handle(.text(number, text))
        case .toolCall(let call): handle(.toolCall(number, call))
        case .fellBack: break  // Of a chain; a member is one model.
        case .finished(let usage):
            close(number, usage)
            handle(.finished(number))
        case .failed(let fault):
            chain.health.failed(key, chain.account(run.choice), fault, at: now.sinceBoot)
            count(key, fault.code)
            lastFault = fault
            // A request that was refused costs nothing; one that has begun or was given up does.
            let isBilled = run.hasBegun || fault.code == ModelFaults.slow.code
            close(number, isBilled ? run.stream?.usageSoFar ?? [] : [])
            handle(.failed(number, fault))
        }
    }

    private func close(_ number: Int, _ usage: [Usage]) {
        spent = (spent + usage).merged
        running[number]?.stream = nil
        running[number]?.isOver = true
    }

    /// `isLoser`: another model began first. What it has cost is known only as an estimate.
    private func drop(_ number: Int, isLoser: Bool) {
        guard let run = running[number], !run.isOver else { return }
        run.stream?.cancel()
        close(number, run.stream?.usageSoFar ?? [])
        let now = loop.now
        if isLoser {
            let waited = Duration.nanoseconds((now - run.askedAt).nanoseconds)
            chain.health.lost(chain.key(run.choice), after: waited, at: now.sinceBoot)
        } else if !run.hasBegun {
            chain.health.breakers.abandon(chain.key(run.choice))
        }
    }

    /// `event`: why the request was made, or how it failed.
    private func count(_ key: CircuitBreakers.Key, _ event: String) {
        Counter(
            label: "parley_model_events_total",
            dimensions: [("vendor", key.vendor), ("model", key.product), ("event", event)]
        ).increment()
    }
}

extension ChatRequest {
    /// Words that were said with the tool calls whose results came last.
    fileprivate var hasAnswered: Bool {
        guard case .toolResult? = messages.last,
            case .toolCalls(_, let text)? = messages.last(where: {
                if case .toolResult = $0 { false } else { true }
            })
        else { return false }
        return !Words.split(text).isEmpty
    }
}

/// How a model is asked to go on with a reply that another has begun.
enum Continuation {
    static let note =
        "(The line to you broke here. The caller has heard your words so far. Go on from exactly where they end and "
        + "repeat none of them.)"

    static func messages(_ said: String) -> [ChatMessage] { [.assistant(said), .user(note)] }
}

extension [Usage] {
    /// One entry for each source and unit, in the order of their first. No sum leaves its range: of a vendor's figures each is
    /// cut to `TokenPrice.tokensMax`, and a call makes no 9 000 000 000 requests.
    var merged: [Usage] {
        var sums: [Usage] = []
        for usage in self {
            let place = sums.firstIndex {
                $0.component == usage.component && $0.source == usage.source && $0.unit == usage.unit
            }
            if let place { sums[place].quantity += usage.quantity } else { sums.append(usage) }
        }
        return sums
    }
}
