import Base
import Routing

/// One routed reply: whose words count, and when the other model is asked after all. Pure.
///
/// - *Cheap or strong*: that model has the whole request.
/// - *Probe*: the cheap one has no tools but one to hand over. Does it use that, or write that it does (`WrittenHandOver`),
///   the strong one takes over, from where the words said so far end.
/// - *Parallel*: both are asked; the cheap one's words are held until the strong one begins with words too, and passed on
///   then; with a tool call in their place the strong one speaks.
/// - Whatever goes wrong with the cheap model (it fails, has nothing to say, calls what was not offered, is late) leads to
///   the strong one; a strong one that fails before a word and a tool call leads to the cheap one, if that was not asked yet.
/// Feed every event to `handle` and carry out the effects in order. The last is `finish` or `fail`, and comes once.
struct RoutedReply: Sendable {
    typealias Tier = Router.Tier

    enum Input: Sendable {
        case start
        case began(Tier)
        case text(Tier, String)
        case toolCall(Tier, ChatToolCall)
        case finished(Tier)
        case failed(Tier, Fault)
        /// The cheap model has had its time for a first token.
        case late
    }

    enum Form: Hashable, Sendable {
        case whole
        /// Without tools, but with one to hand over.
        case probe
    }

    enum Effect: Hashable, Sendable {
        /// `said`: how the reply begins that the model is to go on with. `isFirst`: no other request of this reply answers
        /// for its costs.
        case ask(Tier, Form, said: String, isFirst: Bool)
        case drop(Tier)
        case began
        case text(String)
        case toolCall(ChatToolCall)
        case finish
        case fail(Fault)
    }

    private enum Lane: Hashable {
        case idle
        /// `hasBegun`: the first token is there.
        case running(hasBegun: Bool)
        /// The reply is whole, and not yet passed on.
        case ready
        case over(Fault?)

        var isRunning: Bool { if case .running = self { true } else { false } }
    }

    private let mode: Router.Mode
    private var cheap = Lane.idle
    private var strong = Lane.idle
    /// Whose words are passed on.
    private(set) var speaker: Tier?
    /// The cheap model's words while it is not known whose count.
    private var held = ""
    /// Reads along with a probe.
    private var written: WrittenHandOver?
    private var said = ""
    private var seam: Seam?
    private var hasBegun = false
    private var isOver = false
    private(set) var hasCalledTool = false
    private(set) var hasHandedOver = false

    init(_ mode: Router.Mode) { self.mode = mode }

    /// Is the cheap model waited for, and nobody else asked?
    var isWaitingForCheap: Bool { cheap == .running(hasBegun: false) && strong == .idle }

    mutating func handle(_ input: Input) -> [Effect] {
        guard !isOver else { return [] }
        var effects: [Effect] = []
        switch input {
        case .start: start(&effects)
        case .began(let tier): begin(tier, &effects)
        case .text(.cheap, let text) where written != nil: read({ $0.push(text) }, &effects)
        case .text(let tier, let text): take(text, of: tier, &effects)
        case .toolCall(let tier, let call): take(call, of: tier, &effects)
        case .finished(let tier): finish(tier, &effects)
        // A draft over its turn's budget is a reply nobody will miss.
        case .failed(let tier, let fault) where fault.code == ReplyChain.overBudget.code:
            set(tier, .over(fault))
            settle(fault, &effects)
        case .failed(.cheap, let fault): failCheap(fault, &effects)
        case .failed(.strong, let fault): failStrong(fault, &effects)
        case .late: if isWaitingForCheap { ask(.strong, .whole, &effects) }
        }
        return effects
    }

    private mutating func start(_ effects: inout [Effect]) {
        switch mode {
        case .direct(let tier): ask(tier, .whole, &effects)
        case .probe: ask(.cheap, .probe, &effects)
        case .parallel:
            ask(.cheap, .probe, &effects)
            ask(.strong, .whole, &effects)
        // Whoever asks for a reply has no line that answers.
        case .scripted: ask(.strong, .whole, &effects)
        }
    }

    private func lane(_ tier: Tier) -> Lane { tier == .cheap ? cheap : strong }

    private mutating func set(_ tier: Tier, _ lane: Lane) {
        switch tier {
        case .cheap: cheap = lane
        case .strong: strong = lane
        }
    }

    private mutating func ask(_ tier: Tier, _ form: Form, _ effects: inout [Effect]) {
        let isFirst = cheap == .idle && strong == .idle
        set(tier, .running(hasBegun: false))
        if tier == .cheap { written = form == .probe ? WrittenHandOver() : nil }
        if !said.isEmpty { seam = Seam(said: said) }
        effects.append(.ask(tier, form, said: said, isFirst: isFirst))
    }

    private mutating func begin(_ tier: Tier, _ effects: inout [Effect]) {
        guard lane(tier).isRunning else { return }
        set(tier, .running(hasBegun: true))
        // What the token of a probe is, or of either model beside the other, only the next event tells.
        switch tier {
        case .cheap: if !isProbing { speak(.cheap, &effects) }
        case .strong:
            let isFirst = mode != .parallel && cheap == .running(hasBegun: false)
            if isFirst || !isAlive(.cheap) { speak(.strong, &effects) }
        }
    }

    /// Has the cheap model nothing but the tool to hand over?
    private var isProbing: Bool { mode == .probe || mode == .parallel }

    private func isAlive(_ tier: Tier) -> Bool { lane(tier).isRunning || lane(tier) == .ready }

    /// From here on the words of `tier` are passed on, and the other is dropped.
    private mutating func speak(_ tier: Tier, _ effects: inout [Effect]) {
        guard speaker == nil else { return }
        speaker = tier
        let other: Tier = tier == .cheap ? .strong : .cheap
        if lane(other).isRunning { effects.append(.drop(other)) }
        if isAlive(other) { set(other, other == .strong ? .idle : .over(nil)) }
        if !hasBegun { effects.append(.began) }
        hasBegun = true
        let words = held
        held = ""
        if tier == .cheap { say(words, &effects) }
    }

    private mutating func say(_ text: String, _ effects: inout [Effect]) {
        let new = seam?.push(text) ?? text
        guard !new.isEmpty else { return }
        said += new
        effects.append(.text(new))
    }

    private mutating func closeSeam(_ effects: inout [Effect]) {
        let rest = seam?.finish() ?? ""
        seam = nil
        guard !rest.isEmpty else { return }
        said += rest
        effects.append(.text(rest))
    }

    /// A probe's words, or its end.
    private mutating func read(
        _ next: (inout WrittenHandOver) -> WrittenHandOver.Reading, _ effects: inout [Effect]
    ) {
        guard cheap.isRunning, speaker != .strong, var reader = written else { return }
        let reading = next(&reader)
        written = reader
        if !reading.words.isEmpty { take(reading.words, of: .cheap, &effects) }
        guard reading.isHandOver else { return }
        effects.append(.drop(.cheap))
        handOver(&effects)
    }

    private mutating func take(_ text: String, of tier: Tier, _ effects: inout [Effect]) {
        guard lane(tier).isRunning, speaker == nil || speaker == tier else { return }
        switch tier {
        case .cheap where speaker == nil && mode == .parallel && strong.isRunning: held += text
        case .cheap:
            speak(.cheap, &effects)
            say(text, &effects)
        case .strong:
            let isAnswered = speaker == nil && !held.isEmpty
            speak(isAnswered ? .cheap : .strong, &effects)
            guard isAnswered else { return say(text, &effects) }
            if cheap == .ready { end(.finish, &effects) }
        }
    }

    private mutating func take(_ call: ChatToolCall, of tier: Tier, _ effects: inout [Effect]) {
        guard lane(tier).isRunning, speaker == nil || speaker == tier else { return }
        if tier == .cheap, isProbing { return handOver(&effects) }
        speak(tier, &effects)
        closeSeam(&effects)
        hasCalledTool = true
        effects.append(.toolCall(call))
    }

    private mutating func handOver(_ effects: inout [Effect]) {
        hasHandedOver = true
        leaveToStrong(nil, &effects)
    }

    /// The cheap model has no more part in it.
    private mutating func leaveToStrong(_ fault: Fault?, _ effects: inout [Effect]) {
        cheap = .over(fault)
        held = ""
        speaker = nil
        switch strong {
        case .idle: ask(.strong, .whole, &effects)
        case .running(hasBegun: true): speak(.strong, &effects)
        case .running(hasBegun: false), .ready: break
        case .over(let strongFault): settle(fault ?? strongFault ?? ModelFaults.empty, &effects)
        }
    }

    private mutating func finish(_ tier: Tier, _ effects: inout [Effect]) {
        if tier == .cheap { read({ $0.finish() }, &effects) }
        guard lane(tier).isRunning else { return }
        if speaker == tier {
            closeSeam(&effects)
            return end(.finish, &effects)
        }
        guard speaker == nil else { return }
        switch tier {
        case .cheap where held.isEmpty: leaveToStrong(ModelFaults.empty, &effects)
        case .cheap: cheap = .ready
        case .strong where isAlive(.cheap): failStrong(ModelFaults.empty, &effects)
        case .strong:
            speak(.strong, &effects)
            end(.finish, &effects)
        }
    }

    private mutating func failCheap(_ fault: Fault, _ effects: inout [Effect]) {
        guard cheap.isRunning, speaker != .strong else { return }
        if speaker == .cheap {
            closeSeam(&effects)
            // The tool's result will bring the next request anyway.
            if hasCalledTool { return end(.finish, &effects) }
        }
        leaveToStrong(fault, &effects)
    }

    private mutating func failStrong(_ fault: Fault, _ effects: inout [Effect]) {
        guard strong.isRunning, speaker != .cheap else { return }
        strong = .over(fault)
        if speaker == .strong {
            closeSeam(&effects)
            guard cheap == .idle, !isAnswered else { return settle(fault, &effects) }
            // A tool call that was not to be used: nothing of it was passed on.
            speaker = nil
            said = ""
        }
        switch cheap {
        case .idle: ask(.cheap, .whole, &effects)
        case .ready:
            speak(.cheap, &effects)
            end(.finish, &effects)
        case .running: if !held.isEmpty { speak(.cheap, &effects) }
        case .over: settle(fault, &effects)
        }
    }

    private var isAnswered: Bool { hasCalledTool || !said.allSatisfy(\.isWhitespace) }

    /// Nobody is left. What has been said stands; without a word the reply has failed.
    private mutating func settle(_ fault: Fault, _ effects: inout [Effect]) {
        end(isAnswered ? .finish : .fail(fault), &effects)
    }

    private mutating func end(_ effect: Effect, _ effects: inout [Effect]) {
        isOver = true
        for tier in [Tier.cheap, .strong] where tier != speaker && lane(tier).isRunning {
            effects.append(.drop(tier))
        }
        effects.append(effect)
    }
}
