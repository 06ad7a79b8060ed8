package import Base
package import NIOCore

/// The recognisers of one call, in order: when a socket drops, the next vendor (or the same again) hears what has no
/// words yet once more. Every call's recogniser is in one, alone or not.
package struct RecognitionChain: SpeechToText {
    package struct Link: Sendable {
        package var key: CircuitBreakers.Key
        /// What the vendor is asked with.
        package var credential: Redacted<String>
        package var recogniser: any SpeechToText
        package init(
            key: CircuitBreakers.Key, credential: Redacted<String> = Redacted(""),
            recogniser: any SpeechToText
        ) {
            self.key = key
            self.credential = credential
            self.recogniser = recogniser
        }
    }

    /// Failures in one call after which it stays deaf.
    package static let failuresMax = 12
    /// And after so many without a word between: a caller who is not heard for eight seconds has stopped talking.
    package static let failuresInARowMax = 6
    /// Before a vendor that has just failed is asked again; doubled each time it fails without a word.
    static let repeatPause = Duration.milliseconds(250)
    static let repeatPauseMax = Duration.seconds(4)

    let links: [Link]
    let vendors: ChainVendors

    /// `links`: at least one. Breakers and accounts are those of the worker.
    package init(
        _ links: [Link], tenant: ID<Tenant>, breakers: CircuitBreakers, accounts: AccountLimits
    ) {
        self.links = links
        vendors = ChainVendors(
            keys: links.map(\.key), credentials: links.map(\.credential), tenant: tenant, breakers: breakers,
            accounts: accounts)
    }

    package func open(
        _ settings: RecognitionSettings, on loop: any EventLoop,
        events: @escaping @Sendable (RecognitionEvent) -> Void
    ) -> any RecognitionStream {
        let hearing = ChainedHearing(self, settings, on: loop, events: events)
        hearing.begin()
        return hearing
    }
}

/// One call's hearing. On its loop only.
private final class ChainedHearing: RecognitionStream, @unchecked Sendable {
    private static let samplesPerMs = 8

    private let chain: RecognitionChain
    private let settings: RecognitionSettings
    private let loop: any EventLoop
    private let events: @Sendable (RecognitionEvent) -> Void
    private var rotation: VendorRotation
    private var stream: (any RecognitionStream)?
    private var heard = HeardAudio()
    private var expected: (Expectation, [String]) = (.open, [])
    private var isInUtterance = false
    private var generation = 0
    private var trouble = Trouble()
    private var spent = Spent()
    private var isClosed = false
    private(set) var hearer: ModelChoice?

    /// Since a vendor last understood something.
    private struct Trouble {
        var tried: Set<Int> = []
        var inARow = 0
        /// In the whole call.
        var failures = 0
    }

    /// Usage of streams that are over, by source, and where the stream of now begins, milliseconds of the call.
    private struct Spent {
        var before: [String: Int64] = [:]
        var now: Usage?
        var startMs = 0
    }

    init(
        _ chain: RecognitionChain, _ settings: RecognitionSettings, on loop: any EventLoop,
        events: @escaping @Sendable (RecognitionEvent) -> Void
    ) {
        self.chain = chain
        self.settings = settings
        self.loop = loop
        self.events = events
        rotation = VendorRotation(count: chain.links.count)
    }

    private var time: Duration { .nanoseconds(Int64(clamping: loop.now.uptimeNanoseconds)) }
    private func admits(_ index: Int) -> Bool { chain.vendors.admits(index, at: time) }

    func begin() {
        let wanted = rotation.current
        let index = rotation.first(admits: admits)
        if index != wanted {
            let event = RecognitionEvent.fellBack(
                to: chain.links[index].key.vendor, chain.vendors.passedOver(wanted, at: time))
            loop.execute { [self] in if !isClosed { events(event) } }
        }
        open(index)
    }

    func send(_ audio: ByteBuffer) {
        heard.add(audio)
        stream?.send(audio)
    }

    func expect(_ expectation: Expectation, phrases: [String]) {
        expected = (expectation, phrases)
        stream?.expect(expectation, phrases: phrases)
    }

    func utteranceStarted() {
        isInUtterance = true
        heard.utteranceStarted()
        stream?.utteranceStarted()
    }

    func voiceFaded() { stream?.voiceFaded() }

    func utteranceEnded() {
        isInUtterance = false
        stream?.utteranceEnded()
    }

    func close() {
        isClosed = true
        stream?.close()
        stream = nil
        chain.vendors.abandon(rotation.current)
    }

    private func open(_ index: Int) {
        trouble.tried.insert(index)
        generation += 1
        let generation = generation
        // The account is known to be at its limit: it is not asked for nothing.
        if let fault = chain.vendors.block(index, at: time) {
            return loop.execute { [self] in
                if !isClosed, self.generation == generation { failed(fault, index, wasAsked: false) }
            }
        }
        let (from, audio) = heard.replay
        spent.startMs = from / Self.samplesPerMs
        let stream = chain.links[index].recogniser.open(settings, on: loop) { [self] event in
            guard self.generation == generation else { return }
            took(event, from: index)
        }
        self.stream = stream
        stream.expect(expected.0, phrases: expected.1)
        guard audio.readableBytes > 0 else { return }
        if heard.openAt != nil { stream.utteranceStarted() }
        stream.send(audio)
        if heard.openAt != nil, !isInUtterance { stream.utteranceEnded() }
    }

    private func took(_ event: RecognitionEvent, from index: Int) {
        // Usage may be told while it is closed.
        if isClosed { if case .usage = event {} else { return } }
        switch event {
        case .partial:
            understood(index)
            heard.partialCame()
            events(event)
        case .final(let text, let words):
            if !text.isEmpty { understood(index) }
            hearer = chain.links[index].key.choice
            let placed = words.map {
                Word(text: $0.text, startMs: $0.startMs + spent.startMs, endMs: $0.endMs + spent.startMs)
            }
            heard.finalCame(endMs: placed.last?.endMs, isInUtterance: isInUtterance)
            events(.final(text, words: placed))
        case .endOfTurn, .fellBack: events(event)
        case .usage(let usage):
            spent.now = usage
            tell(usage)
        case .failed(let fault): failed(fault, index)
        }
    }

    private func tell(_ usage: Usage) {
        var total = usage
        total.quantity += spent.before[usage.source] ?? 0
        events(.usage(total))
    }

    private func understood(_ index: Int) {
        guard trouble.inARow > 0 || !trouble.tried.isEmpty else { return }
        trouble.tried = []
        trouble.inARow = 0
        chain.vendors.worked(index, at: time)
    }

    private func failed(_ fault: Fault, _ index: Int, wasAsked: Bool = true) {
        stream = nil
        generation += 1
        if let usage = spent.now { spent.before[usage.source, default: 0] += usage.quantity }
        spent.now = nil
        chain.vendors.failed(fault, index, wasAsked: wasAsked, at: time)
        trouble.failures += 1
        trouble.inARow += 1
        trouble.tried.insert(index)
        guard trouble.failures < RecognitionChain.failuresMax,
            trouble.inARow < RecognitionChain.failuresInARowMax
        else { return events(.failed(fault)) }
        if let next = rotation.failed(fault, tried: trouble.tried, admits: admits) {
            events(.fellBack(to: chain.links[next].key.vendor, fault))
            open(next)
        } else if rotation.mayRepeat {
            repeatLater(fault)
        } else {
            events(.failed(fault))
        }
    }

    /// The same vendor again: at once when it worked before, then after ever longer pauses.
    private func repeatLater(_ fault: Fault) {
        trouble.tried = []
        let index = rotation.current
        guard trouble.inARow > 1 || chain.vendors.block(index, at: time) != nil else {
            events(.fellBack(to: chain.links[index].key.vendor, fault))
            return open(index)
        }
        let doubled = RecognitionChain.repeatPause * (1 << min(max(0, trouble.inARow - 2), 10))
        var pause = min(doubled, RecognitionChain.repeatPauseMax)
        if case .after(let asked) = fault.retry { pause = max(pause, asked) }
        let generation = generation
        loop.assumeIsolated().scheduleTask(in: TimeAmount(pause)) { [weak self] in
            guard let self, !self.isClosed, self.generation == generation else { return }
            self.events(.fellBack(to: self.chain.links[index].key.vendor, fault))
            self.open(index)
        }
    }
}
