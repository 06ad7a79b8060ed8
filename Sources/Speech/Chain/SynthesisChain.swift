package import Base
package import NIOCore

/// The synthesisers of one call, in order: one that fails is followed by the next, from the first word not heard on, and
/// that one stays for the call. On the call's loop only.
package final class SynthesisChain: TextToSpeech, @unchecked Sendable {
    package struct Link: Sendable {
        package var key: CircuitBreakers.Key
        /// What the vendor is asked with.
        package var credential: Redacted<String>
        /// The voice there that is most like the first link's.
        package var voice: String
        package var synthesiser: any TextToSpeech
        package init(
            key: CircuitBreakers.Key, credential: Redacted<String> = Redacted(""), voice: String,
            synthesiser: any TextToSpeech
        ) {
            self.key = key
            self.credential = credential
            self.voice = voice
            self.synthesiser = synthesiser
        }
    }

    package struct Limits: Sendable {
        /// A vendor that gives no audio in this time is left for the next.
        package var firstAudioMax: Duration = .milliseconds(1_000)
        /// All audio so far would have been heard, and no more has come, for so long.
        package var dryMax: Duration = .milliseconds(250)
        /// An account at its limit that may be asked again within this is waited for when there is nobody else.
        package var limitMax: Duration = .seconds(2)
        package init() {}
    }

    let links: [Link]
    let vendors: ChainVendors
    let limits: Limits
    fileprivate var rotation: VendorRotation
    fileprivate var msPerCharacter = SpokenProgress.usualMsPerCharacter

    /// `links`: at least one. Breakers and accounts are those of the worker.
    package init(
        _ links: [Link], tenant: ID<Tenant>, breakers: CircuitBreakers, accounts: AccountLimits,
        limits: Limits = Limits()
    ) {
        self.links = links
        vendors = ChainVendors(
            keys: links.map(\.key), credentials: links.map(\.credential), tenant: tenant, breakers: breakers,
            accounts: accounts)
        self.limits = limits
        rotation = VendorRotation(count: links.count)
    }

    /// The one that speaks now, unless it is left alone.
    package func warm(voice: String, on loop: any EventLoop) {
        guard vendors.isWell(rotation.current, at: loop.now.sinceBoot) else { return }
        let link = links[rotation.current]
        link.synthesiser.warm(voice: link.voice, on: loop)
    }

    /// `voice` is the links' own affair.
    package func speak(
        _ text: String, voice: String, on loop: any EventLoop,
        events: @escaping @Sendable (SynthesisEvent) -> Void
    ) -> any SynthesisStream {
        let speaking = ChainedSpeaking(text, of: self, on: loop, events: events)
        speaking.begin()
        return speaking
    }
}

/// One text, spoken by as many vendors as it takes.
private final class ChainedSpeaking: SynthesisStream, @unchecked Sendable {
    private let chain: SynthesisChain
    private let loop: any EventLoop
    private let events: @Sendable (SynthesisEvent) -> Void
    private var progress: SpokenProgress
    private var stream: (any SynthesisStream)?
    private var tried: Set<Int> = []
    private var hasRepeated = false
    private var generation = 0
    private var isOver = false
    private(set) var usageSoFar: [Usage] = []
    private(set) var speaker: ModelChoice?
    /// When the vendor that speaks now gave its first and its last audio.
    private var firstAt: NIODeadline?
    private var lastAt: NIODeadline?
    private var alarm: Scheduled<Void>?

    init(
        _ text: String, of chain: SynthesisChain, on loop: any EventLoop,
        events: @escaping @Sendable (SynthesisEvent) -> Void
    ) {
        self.chain = chain
        self.loop = loop
        self.events = events
        progress = SpokenProgress(text, msPerCharacter: chain.msPerCharacter)
    }

    private var now: Duration { .nanoseconds(Int64(clamping: loop.now.uptimeNanoseconds)) }

    private func admits(_ index: Int) -> Bool { chain.vendors.admits(index, at: now) }

    func begin() {
        let wanted = chain.rotation.current
        let index = chain.rotation.first(admits: admits)
        if index != wanted {
            let event = SynthesisEvent.fellBack(
                to: chain.links[index].key.vendor, chain.vendors.passedOver(wanted, at: now))
            loop.execute { [self] in if !isOver { events(event) } }
        }
        // The account is known to be at its limit: it is not asked for nothing.
        guard let fault = chain.vendors.block(index, at: now) else { return ask(index) }
        loop.execute { [self] in if !isOver { failed(fault, index, wasAsked: false) } }
    }

    func cancel() {
        guard !isOver else { return }
        isOver = true
        alarm?.cancel()
        stream?.cancel()
        usageSoFar = stream?.usageSoFar ?? []
        stream = nil
        chain.vendors.abandon(chain.rotation.current)
    }

    private func ask(_ index: Int) {
        tried.insert(index)
        generation += 1
        let generation = generation
        firstAt = nil
        lastAt = nil
        let link = chain.links[index]
        stream = link.synthesiser.speak(progress.part, voice: link.voice, on: loop) { [self] event in
            guard !isOver, self.generation == generation else { return }
            took(event, from: index)
        }
        watch(index, at: loop.now + TimeAmount(chain.limits.firstAudioMax))
    }

    private func took(_ event: SynthesisEvent, from index: Int) {
        switch event {
        case .audio(let audio):
            progress.heard(bytes: audio.readableBytes)
            lastAt = loop.now
            if speaker == nil { speaker = stream?.speaker ?? chain.links[index].key.choice }
            if firstAt == nil {
                firstAt = loop.now
                watchDryness(index)
            }
            events(event)
        case .words(let words):
            progress.heard(words)
            // Places of the rest of a text are no places of the text.
            if progress.bytes == progress.voiceBytes { events(event) }
        case .spent, .fellBack: events(event)
        case .finished:
            chain.vendors.worked(index, at: now)
            if let pace = progress.pace { chain.msPerCharacter = pace }
            end(event)
        case .failed(let fault): failed(fault, index)
        }
    }

    private func failed(_ fault: Fault, _ index: Int, wasAsked: Bool = true) {
        alarm?.cancel()
        tried.insert(index)
        let key = chain.links[index].key
        let spent = stream?.usageSoFar ?? []
        chain.vendors.failed(fault, index, wasAsked: wasAsked, at: now)
        for usage in spent { events(.spent(usage)) }
        guard !progress.resume().isEmpty else { return end(.finished(nothing(key))) }
        if let next = chain.rotation.failed(fault, tried: tried, admits: admits) {
            events(.fellBack(to: chain.links[next].key.vendor, fault))
            ask(next)
        } else if chain.rotation.mayRepeat, !hasRepeated {
            hasRepeated = true
            askAgain(after: fault)
        } else {
            end(.failed(fault))
        }
    }

    /// At once, or when the account may be asked again.
    private func askAgain(after fault: Fault) {
        let index = chain.rotation.current
        guard let left = chain.vendors.block(index, at: now)?.retry else { return ask(index) }
        guard case .after(let pause) = left, pause <= chain.limits.limitMax else {
            return end(.failed(fault))
        }
        alarm = loop.assumeIsolated().scheduleTask(in: TimeAmount(pause)) { [weak self] in
            if let self, !self.isOver { self.ask(index) }
        }
    }

    private func end(_ event: SynthesisEvent) {
        isOver = true
        alarm?.cancel()
        stream = nil
        events(event)
    }

    private func nothing(_ key: CircuitBreakers.Key) -> Usage {
        Usage(component: .tts, source: "\(key.vendor)/\(key.product)", unit: .characters, quantity: 0)
    }
}

/// Silence is noticed only where somebody else can speak.
extension ChainedSpeaking {
    private func watch(_ index: Int, at instant: NIODeadline) {
        alarm?.cancel()
        guard chain.links.count > tried.count else { return }
        let generation = generation
        alarm = loop.assumeIsolated().scheduleTask(deadline: instant) { [weak self] in
            guard let self, !self.isOver, self.generation == generation else { return }
            self.look(index)
        }
    }

    /// When what was given until now will have been heard, and the patience after it.
    private func watchDryness(_ index: Int) {
        guard let firstAt, let lastAt else { return }
        let heardUntil = firstAt + .milliseconds(Int64(progress.voiceBytes / SpokenProgress.bytesPerMs))
        watch(index, at: max(heardUntil, lastAt) + TimeAmount(chain.limits.dryMax))
    }

    private func look(_ index: Int) {
        if let firstAt, let lastAt {
            let heardUntil = firstAt + .milliseconds(Int64(progress.voiceBytes / SpokenProgress.bytesPerMs))
            guard loop.now >= max(heardUntil, lastAt) + TimeAmount(chain.limits.dryMax) else {
                return watchDryness(index)
            }
        }
        stream?.cancel()
        failed(VendorFaults(stage: "tts").silent, index)
    }
}
