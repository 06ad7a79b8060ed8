package import Base

/// Routes stored calls in their order, as they would have been routed while they were made.
///
/// Later calls of a dialogue meet the caches that earlier choices warmed, and the router learns from the acts that the
/// stored messages show, as far as its choice would have let it see them.
package struct StoredDialogues: Sendable {
    package enum Route: String, Sendable { case cheap, strong, probe }

    /// May be another for each call, of the same models: weights that did not see it.
    package var router: Router
    private var books: [String: ToolBook] = [:]
    private var outcomes = RoutingOutcomes()
    private var prefixes: [String: JSON]
    private let learns: Bool

    private var dialogID = ""
    private var read: [DialogueMessage] = []
    private var dialogue = RoutedDialogue(tools: ToolBook())
    private var cheap = CachedPrompt()
    private var strong = CachedPrompt()
    private var lastTier: Router.Tier?
    private var sentCompact: [DialogueMessage] = []
    private let economy = PromptEconomy()
    /// The last choice, until the next row shows what the act was.
    private var pending: (features: RoutingFeatures, shipped: ToolOdds.Judgement, route: Route, tokens: Int)?

    /// `prefixes` is the object that holds the system text (`text`) behind each prefix id.
    package init(router: Router, prefixes: [String: JSON], learns: Bool) {
        self.router = router
        self.prefixes = prefixes
        self.learns = learns
    }

    package struct Decision: Sendable {
        package var features: RoutingFeatures
        package var choice: Router.Choice
        package var sizes: Sizes
        /// The same decision once more, from the features that are there: for timing it.
        package var again: @Sendable () -> Void
    }

    /// Tokens of the next prompt under `PromptEconomy`.
    package struct Sizes: Hashable, Sendable {
        /// With the tools' schemas, and without them but for the function to hand over.
        package var full: Int
        package var short: Int
        /// Those that the prompt of the call before began with too.
        package var common: Int
    }

    /// Features and choice of the next call. Rows of a dialogue come together and in order.
    ///
    /// - Throws: `unknownPrefix`, `unreadableTools`; the dialogue may go on after either.
    package mutating func next(_ call: StoredCall) throws(StoredCall.Failure) -> Decision {
        try follow(call)
        var request = Router.Request(dialogue, promptTokens: call.tokensIn)
        request.seenByCheap = cheap.seen(at: .zero, router.cheap.caching)
        request.seenByStrong = strong.seen(at: .zero, router.strong.caching)
        request.answeredLastBy = lastTier
        request.agent = call.prefixID
        let known = outcomes
        let choice = router.choose(request, outcomes: known)
        settle(call, choice, request.features)
        return Decision(features: request.features, choice: choice, sizes: sizes(call)) { [router, request] in
            _ = router.choose(request, outcomes: known)
        }
    }

    private mutating func sizes(_ call: StoredCall) -> Sizes {
        let before = max(0, call.tokensIn - PromptEconomy.tokens(call.messages))
        let compact = economy.compact(call.messages, before: before)
        let full = min(call.tokensIn, before + PromptEconomy.tokens(compact))
        let schemas = min(dialogue.tools.schemaBytes / 4, full)
        let same = zip(compact, sentCompact).prefix { $0 == $1 }.count
        let common = max(0, before + PromptEconomy.tokens(Array(compact.prefix(same))))
        sentCompact = compact
        return Sizes(
            full: full, short: min(full, full - schemas + PromptEconomy.handOverFunctionTokens),
            common: common)
    }

    private mutating func follow(_ call: StoredCall) throws(StoredCall.Failure) {
        let book = try book(of: call)
        let goesOn = call.dialogID == dialogID && call.messages.starts(with: read)
        if goesOn { learn(call) } else { start(call, book) }
        for message in call.messages.dropFirst(read.count) { dialogue.append(message) }
        read = call.messages
    }

    /// Without its system text nobody knows which tools there are.
    private mutating func book(of call: StoredCall) throws(StoredCall.Failure) -> ToolBook {
        if let book = books[call.prefixID] { return book }
        guard let text = prefixes[call.prefixID]?["text"]?.string else {
            throw .unknownPrefix(call.prefixID)
        }
        let book: ToolBook
        do throws(ToolBook.Unreadable) { book = try ToolBook(systemText: text) } catch {
            throw .unreadableTools(call.prefixID, line: error.line)
        }
        books[call.prefixID] = book
        return book
    }

    private mutating func start(_ call: StoredCall, _ book: ToolBook) {
        dialogID = call.dialogID
        read = []
        cheap = CachedPrompt()
        strong = CachedPrompt()
        lastTier = nil
        sentCompact = []
        pending = nil
        dialogue = RoutedDialogue(tools: book)
    }

    private mutating func learn(_ call: StoredCall) {
        guard let pending, read.count < call.messages.count,
            case .assistant(_, let calls) = call.messages[read.count]
        else { return }
        // A probe that needed a tool was taken over, now as is known.
        if pending.route == .probe, !calls.isEmpty { strong.send(pending.tokens, at: .zero) }
        guard learns, pending.route != .cheap else { return }
        outcomes.note(
            pending.features, pending.shipped, wasProbed: pending.route == .probe, wasTool: !calls.isEmpty,
            agent: call.prefixID)
    }

    private mutating func settle(_ call: StoredCall, _ choice: Router.Choice, _ features: RoutingFeatures) {
        let route = Self.route(choice.mode)
        pending = (features, choice.shipped, route, call.tokensIn)
        if route != .strong { cheap.send(call.tokensIn, at: .zero) }
        if route == .strong { strong.send(call.tokensIn, at: .zero) }
        lastTier = route == .strong ? .strong : .cheap
    }

    package static func route(_ mode: Router.Mode) -> Route {
        switch mode {
        case .direct(.cheap), .scripted: .cheap
        case .direct(.strong), .parallel: .strong
        case .probe: .probe
        }
    }
}
