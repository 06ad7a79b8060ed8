import Base

/// Who is asked for one reply, when, and whose words count. Pure.
///
/// - A model that fails before its first token is followed by the next at once.
/// - One that is slower than it should be is joined by the next (a hedge); who begins first speaks, the others are
///   dropped.
/// - One that breaks off in the middle is followed by another that is told what has been said (docs/decisions/0006).
/// - When none is left, one whose failure may pass is asked once more.
/// - One that ends without a word or a tool has failed, unless words of before a tool answer the caller already.
/// `now` is any monotonic time. Feed every event to `handle`, carry out the effects in order, and call again with
/// `.deadline` no earlier than `deadline`. The last effect is `finish` or `fail`, and comes once.
struct ReplyChain: Sendable {
    struct Policy: Hashable, Sendable {
        /// Hedges of one reply.
        var hedgesMax = 2
        /// A failure that may pass within this is waited for when there is nobody else.
        var repeatPauseMax: Duration = .seconds(2)
        /// A model that is there alone is joined by itself, but not sooner than this.
        var hedgeAloneMin: Duration = .milliseconds(700)
        /// Whoever asks knows another model: nobody is asked twice, and a reply that breaks off has failed.
        var hasSuccessor = false
        init() {}

        /// Of a model that is asked once.
        static let once: Policy = {
            var policy = Policy()
            policy.hedgesMax = 0
            policy.hasSuccessor = true
            return policy
        }()
    }

    enum Input: Sendable {
        case start
        /// The request was not made: the model is not to be asked now.
        case refused(Int)
        case began(Int)
        case text(Int, String)
        case toolCall(Int, ChatToolCall)
        case finished(Int)
        case failed(Int, Fault)
        case deadline
    }

    enum Effect: Hashable, Sendable {
        /// Ask the model of this place in the list; `said`: how the reply begins that it is to go on with.
        /// `isForced`: even if it is not to be asked now, as there is no other.
        case ask(Int, choice: Int, ReplyPlan.Purpose, said: String, isForced: Bool)
        case drop(Int)
        case began
        case text(String)
        case toolCall(ChatToolCall)
        /// The reply ends in the midst, for want of another model.
        case cut(Fault)
        case finish
        case fail(Fault)
    }

    private struct Request: Hashable {
        let choice: Int
        let purpose: ReplyPlan.Purpose
        let askedAt: Duration
        var isOver = false
    }

    private let policy: Policy
    /// Of each choice: how long its first token may take before the next is asked.
    private let patience: [Duration]
    private let isDraft: Bool
    private let mayBeEmpty: Bool
    private var requests: [Request] = []
    private var refused: Set<Int> = []
    private var faults: [Int: Fault] = [:]
    /// Choices that were asked a second time.
    private var repeated: Set<Int> = []
    private var speaker: Int?
    private var hasBegun = false
    private var hasCalled = false
    private var said = ""
    private var seam: Seam?
    private var repeatAt: (choice: Int, at: Duration)?
    private var mayHedge = true
    private var isOver = false

    /// `patience`: one for each choice, in their order; at least one. `mayBeEmpty`: the caller has been answered.
    init(patience: [Duration], isDraft: Bool, mayBeEmpty: Bool = false, policy: Policy = Policy()) {
        self.patience = patience
        self.isDraft = isDraft
        self.mayBeEmpty = mayBeEmpty
        self.policy = policy
    }

    /// When a hedge is due or a failed model is asked again; nil: nothing happens by itself.
    var deadline: Duration? {
        guard !isOver else { return nil }
        return repeatAt?.at ?? hedgeAt
    }

    private var waiting: [Int] { requests.indices.filter { !requests[$0].isOver } }

    private var hedgeAt: Duration? {
        guard mayHedge, speaker == nil, let last = waiting.last, nextUntried != nil || isAlone,
            requests.count(where: { $0.purpose == .hedge }) < policy.hedgesMax
        else { return nil }
        var wait = patience[requests[last].choice]
        if isAlone { wait = max(wait, policy.hedgeAloneMin) }
        return requests[last].askedAt + wait
    }

    /// There is one model, and it has been asked once.
    private var isAlone: Bool { patience.count == 1 && requests.count == 1 }

    private var nextUntried: Int? {
        patience.indices.first { choice in
            !refused.contains(choice) && !requests.contains { $0.choice == choice }
        }
    }

    mutating func handle(_ input: Input, at now: Duration, plan: inout ReplyPlan) -> [Effect] {
        guard !isOver else { return [] }
        var effects: [Effect] = []
        switch input {
        case .start: ask(0, isDraft ? .draft : .reply, at: now, &plan, &effects)
        case .refused(let number): refuse(number, at: now, &plan, &effects)
        case .began(let number): begin(number, &effects)
        case .text(let number, let text):
            guard begin(number, &effects) else { break }
            say(seam?.push(text) ?? text, &effects)
        case .toolCall(let number, let call):
            guard begin(number, &effects) else { break }
            closeSeam(&effects)
            hasCalled = true
            effects.append(.toolCall(call))
        case .finished(let number): finish(number, at: now, &plan, &effects)
        case .failed(let number, let fault): fail(number, fault, at: now, &plan, &effects)
        case .deadline: hedge(at: now, &plan, &effects)
        }
        return effects
    }

    /// The first to begin speaks. False: this is not the speaker.
    @discardableResult
    private mutating func begin(_ number: Int, _ effects: inout [Effect]) -> Bool {
        guard requests.indices.contains(number), !requests[number].isOver else { return false }
        if let speaker { return speaker == number }
        speaker = number
        repeatAt = nil
        for other in waiting where other != number {
            requests[other].isOver = true
            effects.append(.drop(other))
        }
        if !hasBegun { effects.append(.began) }
        hasBegun = true
        return true
    }

    private mutating func finish(
        _ number: Int, at now: Duration, _ plan: inout ReplyPlan, _ effects: inout [Effect]
    ) {
        let isSpeaker = speaker == nil || speaker == number
        if isSpeaker, !hasCalled, !mayBeEmpty, said.isEmpty {
            return fail(number, ModelFaults.empty, at: now, &plan, &effects)
        }
        guard begin(number, &effects) else { return }
        closeSeam(&effects)
        end(.finish, &effects)
    }

    /// Blanks before the first word are nothing to be said.
    private mutating func say(_ text: String, _ effects: inout [Effect]) {
        guard !text.isEmpty, !said.isEmpty || !text.allSatisfy(\.isWhitespace) else { return }
        said += text
        effects.append(.text(text))
    }

    private mutating func closeSeam(_ effects: inout [Effect]) {
        if let rest = seam?.finish() { say(rest, &effects) }
        seam = nil
    }

    private mutating func ask(
        _ choice: Int, _ purpose: ReplyPlan.Purpose, isForced: Bool = false, at now: Duration,
        _ plan: inout ReplyPlan, _ effects: inout [Effect]
    ) {
        // A draft over the budget is a reply nobody will miss; all else has been asked for before.
        guard plan.take(purpose) else {
            return settle(faults.min { $0.key < $1.key }?.value ?? Self.overBudget, &effects)
        }
        requests.append(Request(choice: choice, purpose: purpose, askedAt: now))
        if !said.isEmpty { seam = Seam(said: said) }
        effects.append(
            .ask(requests.count - 1, choice: choice, purpose, said: said, isForced: isForced))
    }

    private mutating func refuse(
        _ number: Int, at now: Duration, _ plan: inout ReplyPlan, _ effects: inout [Effect]
    ) {
        guard requests.indices.contains(number), !requests[number].isOver else { return }
        requests[number].isOver = true
        refused.insert(requests[number].choice)
        let purpose = requests[number].purpose
        plan.giveBack(purpose)
        guard waiting.isEmpty || purpose == .hedge else { return }
        if let next = nextUntried { return ask(next, purpose, at: now, &plan, &effects) }
        guard waiting.isEmpty else { return }
        // Nobody is to be asked: rather somebody who may well fail than silence.
        ask(refused.min() ?? 0, purpose, isForced: true, at: now, &plan, &effects)
    }

    private mutating func fail(
        _ number: Int, _ fault: Fault, at now: Duration, _ plan: inout ReplyPlan, _ effects: inout [Effect]
    ) {
        guard requests.indices.contains(number), !requests[number].isOver else { return }
        requests[number].isOver = true
        let choice = requests[number].choice
        faults[choice] = fault
        if speaker == number {
            closeSeam(&effects)
            // The tool's result will bring the next request anyway.
            if hasCalled { return end(.finish, &effects) }
            speaker = nil
        }
        guard waiting.isEmpty else { return }
        if let next = nextUntried { return ask(next, .fallback, at: now, &plan, &effects) }
        guard let again = faults.keys.sorted().first(where: { !repeated.contains($0) && mayRepeat($0) })
        else { return settle(fault, &effects) }
        repeated.insert(again)
        guard case .after(let pause)? = faults[again]?.retry, pause > .zero else {
            return ask(again, .fallback, at: now, &plan, &effects)
        }
        repeatAt = (again, now + pause)
    }

    private func mayRepeat(_ choice: Int) -> Bool {
        guard !policy.hasSuccessor, case .after(let pause)? = faults[choice]?.retry else { return false }
        return pause <= policy.repeatPauseMax
    }

    private mutating func hedge(at now: Duration, _ plan: inout ReplyPlan, _ effects: inout [Effect]) {
        if let due = repeatAt, due.at <= now {
            repeatAt = nil
            return ask(due.choice, .fallback, at: now, &plan, &effects)
        }
        guard repeatAt == nil, let due = hedgeAt, due <= now else { return }
        mayHedge = plan.spent < plan.requestsMax
        guard mayHedge else { return }
        ask(nextUntried ?? 0, .hedge, at: now, &plan, &effects)
    }

    /// Nobody is left. What has been said stands, and the caller may answer it; without a word the reply has failed.
    private mutating func settle(_ fault: Fault, _ effects: inout [Effect]) {
        guard !policy.hasSuccessor, !said.allSatisfy(\.isWhitespace) else {
            return end(.fail(fault), &effects)
        }
        effects.append(.cut(fault))
        end(.finish, &effects)
    }

    private mutating func end(_ effect: Effect, _ effects: inout [Effect]) {
        isOver = true
        for number in waiting where number != speaker { effects.append(.drop(number)) }
        effects.append(effect)
    }

    static let overBudget = Fault(
        code: "llm.over_budget", retry: .never, cause: "the turn has had all the requests it may have")
}

/// Joins the beginning of a reply to its continuation by another model, which may begin it once more. Pure.
///
/// Holds text back while it may be a repetition: of the whole from its start, or of its last words.
struct Seam: Hashable, Sendable {
    private let said: String
    private var held: String? = ""

    init(said: String) { self.said = said }

    /// What is new for certain.
    mutating func push(_ text: String) -> String {
        guard var held else { return text }
        held += text
        if said.hasPrefix(held) || isTail(held) {
            self.held = held
            return ""
        }
        self.held = nil
        return new(held)
    }

    /// What was held back and is no repetition.
    mutating func finish() -> String {
        guard let held else { return "" }
        self.held = nil
        return said.hasPrefix(held) || isTail(held) ? "" : new(held)
    }

    /// May `text` be the reply's last words, and no more yet?
    private func isTail(_ text: String) -> Bool { Self.overlap(said, text) == text.count }

    private func new(_ text: String) -> String {
        if text.hasPrefix(said) { return String(text.dropFirst(said.count)) }
        let overlap = Self.overlap(said, text)
        let rest = String(text.dropFirst(overlap))
        guard overlap == 0, let last = said.last, let first = rest.first, !last.isWhitespace,
            first.isLetter || first.isNumber
        else { return rest }
        return " " + rest
    }

    /// Characters of the longest beginning of `text` that `said` ends with, from the start of a word on.
    private static func overlap(_ said: String, _ text: String) -> Int {
        let tail = Array(said)
        let head = Array(text)
        for length in stride(from: min(tail.count, head.count), to: 0, by: -1) {
            let start = tail.count - length
            let isWordStart = start == 0 || tail[start].isWhitespace || tail[start - 1].isWhitespace
            if isWordStart, tail[start...].elementsEqual(head.prefix(length)) { return length }
        }
        return 0
    }
}
